// The list of rows: where the keyboard is, who is ticked, how a row leaves and comes back.

import { make } from "./dom.js";

const LEAVING_MS = 130;
const FEW = 4; // more rows than these leave at once, without a movement
const PLACES = 200; // of rows that have left: enough to undo by, few enough to stay quick
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Rows {
  #list;
  #current = null;
  #places = [];

  constructor(list) {
    this.#list = list;
    list.addEventListener("focusin", (event) => (this.#current = event.target.closest(".row")));
  }

  get shown() {
    return [...this.#list.children].filter(isShown);
  }

  get ticked() {
    return this.shown.filter((row) => tickOf(row)?.checked);
  }

  /** The last row that is or was here: the list goes on after it. */
  get end() {
    return this.#list.lastElementChild;
  }

  get current() {
    return this.#current && isShown(this.#current) ? this.#current : null;
  }

  at(id) {
    return this.#list.querySelector(`#comment-${Number(id)}`);
  }

  near(row, step) {
    return this.beyond(row, step, []);
  }

  /** The nearest row in this direction that is none of those. */
  beyond(row, step, those) {
    const passed = new Set(those);
    let next = row;
    do next = step > 0 ? next.nextElementSibling : next.previousElementSibling;
    while (next && (!isShown(next) || passed.has(next)));
    return next;
  }

  focus(row) {
    row.querySelector(".row__main").focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  leave(rows) {
    const heights = rows.map((row) => row.offsetHeight); // all read before the first is changed
    rows.forEach((row, number) => {
      row.inert = true;
      if (calm.matches || rows.length > FEW) row.hidden = true;
      else fold(row, heights[number]);
    });
  }

  comeBack(row) {
    for (const animation of row.getAnimations()) animation.cancel();
    row.inert = row.hidden = false;
    row.ariaBusy = null;
  }

  /** It has left for good: its place stays, so that it can come back there. */
  empty(row) {
    row.inert = row.hidden = true;
    row.replaceChildren();
    this.#places.push(row);
    if (this.#places.length > PLACES) this.#places.shift().remove();
  }

  /** Put rows from the service in the places of those of the same id, others at the end. */
  put(fresh) {
    const put = [...fresh].map((row) => document.adoptNode(row));
    for (const row of put) {
      const old = this.at(row.dataset.id);
      this.#list.querySelector(`[data-stands-for="${row.dataset.id}"]`)?.remove();
      if (!old) this.#list.append(row);
      else this.#replace(old, row);
    }
    return put;
  }

  /** Let a row from the service stand where another one has left, until that comes back. */
  standIn(left, row) {
    const fresh = document.adoptNode(row);
    fresh.dataset.standsFor = left?.dataset.id ?? "";
    if (this.at(row.dataset.id)) this.#replace(this.at(row.dataset.id), fresh);
    else (left ?? this.end).after(fresh);
  }

  /** Say something in the row itself. */
  tell(row, kind, text, ...more) {
    const told = row.querySelector(".row__told");
    if (!told) return;
    told.className = `row__told row__told--${kind}`;
    told.replaceChildren(make("span", {}, text), ...more);
    told.hidden = !text;
  }

  #replace(old, row) {
    const hadFocus = old.contains(document.activeElement);
    const tick = tickOf(row);
    if (tick) tick.checked = tickOf(old)?.checked ?? false;
    const typing = document.activeElement;
    const inline = old.querySelector(".row__inline");
    if (inline) row.append(inline); // somebody types in it
    if (this.#current === old) this.#current = row;
    old.replaceWith(row);
    if (!hadFocus) return;
    if (inline?.contains(typing)) typing.focus();
    else this.focus(row);
  }
}

export function tickOf(row) {
  return row.querySelector('[name="tick"]');
}

function isShown(row) {
  return !row.hidden && !row.inert;
}

function fold(row, height) {
  const frames = [
    { blockSize: `${height}px`, overflow: "clip", opacity: 1 },
    { blockSize: 0, overflow: "clip", opacity: 0, paddingBlock: 0, borderWidth: 0 },
  ];
  const folding = row.animate(frames, { duration: LEAVING_MS, easing: "ease-out", fill: "forwards" });
  folding.finished.then(
    () => {
      row.hidden = row.inert;
      folding.cancel();
    },
    () => {} // it came back in between
  );
}
