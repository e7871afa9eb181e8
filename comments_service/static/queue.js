// The queue, which works without: here its parts are put together, and each key and button gets its meaning.

import { Claims } from "./queue-claims.js";
import { Desk } from "./queue-desk.js";
import { Door } from "./queue-door.js";
import { Inline } from "./queue-inline.js";
import { Keys } from "./queue-keys.js";
import { Line } from "./queue-line.js";
import { Notice } from "./queue-notice.js";
import { Refill } from "./queue-refill.js";
import { Rows } from "./queue-rows.js";
import { Sheet } from "./queue-sheet.js";
import { Speech } from "./speech.js";
import { Ticks } from "./queue-ticks.js";
import { Writer } from "./queue-writer.js";

const queue = document.querySelector(".queue");
const form = queue.querySelector(".decisions");
const rows = new Rows(form.querySelector(".rows"));
const speech = new Speech(JSON.parse(queue.dataset.texts), document.documentElement.lang);
const door = new Door();
const line = new Line();
const notice = new Notice(speech);
const ticks = new Ticks(form, rows, speech);
const refill = new Refill(queue, rows, door);
const desk = new Desk({ queue, form, rows, ticks, line, door, notice, refill, speech, shown });
const writer = new Writer({ rows, line, door, desk, notice });
const inline = new Inline(form, { rows, door, desk, line, writer });
const acts = { decide: pressDecide, switch: pressSwitch };
const sheet = new Sheet({ rows, door, desk, line, notice, writer, acts });
new Claims(form, { rows, door, desk, speech });
if (/^#(first|last)$/.test(location.hash) && rows.shown.length) {
  rows.focus(rows.shown.at(location.hash === "#first" ? 0 : -1)); // a key has led here from the page beside it
}

/** The list, or the word that nothing is there. */
async function shown() {
  const isEmpty = () => rows.shown.length === 0;
  if (isEmpty()) {
    queue.classList.add("queue--loading");
    await refill.fill({ isUrgent: true });
    queue.classList.remove("queue--loading");
  }
  const empty = queue.querySelector("[data-empty]");
  form.hidden = isEmpty();
  empty.hidden = !isEmpty();
  const isLost = document.activeElement === document.body;
  if (isLost) isEmpty() ? empty.querySelector("h2").focus() : rows.focus(rows.shown[0]);
}

const here = () => rows.current ?? rows.shown[0];

// A row offers what may be done with it; a key means the button that is there
function offer(verbs, where) {
  return verbs.find((verb) => where.querySelector(`[name="decide"][value="${verb}"], [name="decide"][value^="${verb} "]`));
}

const BACK = ["restore", "not_spam"];
const MEANT = { trash: ["trash", "delete"], unapprove: ["unapprove", ...BACK] };
if (["spam", "trash"].includes(queue.dataset.view)) MEANT.undo = BACK; // as in WordPress
const MARKS = { pin: ["pin", "unpin"], pick: ["pick", "unpick"], flag: ["flag", "unflag"] };

function decide(key) {
  if (key === "undo" && desk.last) return desk.undo();
  const row = here();
  const verb = row && offer(MARKS[key] ?? MEANT[key] ?? [key], row);
  if (verb) return act(verb, [row]);
  tell(key === "undo" ? "queue.live.nothing_to_undo" : "queue.live.not_here");
}

function decideTicked(key) {
  if (key in MARKS) return mark(MARKS[key], rows.ticked);
  const verb = offer(MEANT[key] ?? [key], form.querySelector(".bulk"));
  if (!verb) return tell("queue.live.not_here");
  act(verb, rows.ticked);
}

/** The first of these verbs that fits some of the rows, for those that it fits. */
function mark(verbs, chosen) {
  const fitting = (verb) => chosen.filter((row) => offer([verb], row));
  const verb = verbs.find((each) => fitting(each).length);
  if (verb) return act(verb, fitting(verb));
  tell(chosen.length ? "queue.live.not_here" : "queue.done.nothing");
}

function open(name) {
  const row = here();
  const button = row?.querySelector('[name="switch"]');
  if (name === "article" && button) return pressSwitch(button, [row]);
  if (!row || !inline.open(row, name)) tell("queue.live.not_here");
}

function openTicked(name) {
  const chosen = rows.ticked;
  if (!chosen.length) return tell("queue.done.nothing");
  inline.closeAll();
  if (name !== "article") return sheet.openBulk(name, chosen);
  const isAnyOpen = chosen.some((row) => row.querySelector('[name="switch"][value="close"]'));
  pressSwitch(form.querySelector(`.bulk [name="switch"][value="${isAnyOpen ? "close" : "open"}"]`), chosen);
}

function pressSwitch(button, chosen) {
  writer.turn(button.formAction, button.value, chosen);
}

function pressDecide({ value }, chosen, note) {
  const [verb, tick] = value.split(" ");
  const isMark = Object.values(MARKS).flat().includes(verb);
  if (isMark && !tick) return mark([verb], chosen);
  act(verb, chosen, note);
}

function tell(key) {
  notice.tell(speech.say(key), desk.last);
}

/** Do it, but ask before something is deleted for ever. */
function act(verb, chosen, note) {
  if (!chosen.length) return tell("queue.done.nothing");
  if (verb !== "delete") return desk.decide(verb, chosen, note);
  const ask = queue.querySelector("[data-ask]");
  ask.querySelector("h2").textContent = speech.say("queue.ask", { count: chosen.length });
  // Not by its event "close": that comes late, when somebody may have asked again
  ask.onsubmit = (event) => {
    event.preventDefault();
    ask.close(); // first, for the rows cannot have the keyboard while it asks
    if (event.submitter.value) desk.decide(verb, chosen);
  };
  ask.showModal();
}

function step(direction) {
  const current = rows.current;
  const next = current ? rows.near(current, direction) : rows.shown[0];
  if (next) return rows.focus(next);
  const link = queue.querySelector(`[data-pages] [rel=${direction > 0 ? "next" : "prev"}]:not([hidden])`);
  if (link) location.assign(`${link.href}#${direction > 0 ? "first" : "last"}`);
}

function withRow(use) {
  return () => here() && use(here());
}

const openMenus = () => form.querySelectorAll('[name="menu"][open]');
for (const kind of ["click", "focusin"])
  document.addEventListener(kind, ({ target }) => {
    const isDone = kind === "click" && target.closest("[data-part], [data-edit]");
    for (const menu of openMenus()) menu.open &&= menu.contains(target) && !isDone;
  });

form.addEventListener("submit", (event) => {
  const { submitter } = event;
  const door = submitter?.dataset.bulk;
  if (inline.reveals(event) || !(door || submitter?.name in acts)) return;
  event.preventDefault();
  for (const menu of openMenus()) menu.open = false;
  const row = submitter.closest(".row");
  if (door) return openTicked(door);
  const chosen = row ? [row] : rows.ticked;
  if (row) rows.focus(row); // the menu that had the keyboard is closed
  if (chosen.length) acts[submitter.name](submitter, chosen);
  else tell("queue.done.nothing");
});

form.addEventListener("click", (event) => {
  const link = event.target.closest("[data-edit]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  showFile(link.closest(".row"));
});

function showFile(row) {
  inline.closeAll();
  if (row.querySelector("[data-edit]")) sheet.openFile(row);
  else tell("queue.live.not_here");
}

new Keys({
  decide,
  decideTicked,
  open,
  openTicked,
  next: () => step(1),
  previous: () => step(-1),
  reply: withRow((row) => inline.open(row, "reply")),
  quickEdit: withRow((row) => inline.open(row, "edit")),
  edit: withRow(showFile),
  tick: withRow((row) => ticks.toggle(row)),
  tickAll: () => ticks.toggleAll(),
  isWaiting: () => inline.isOpening,
  search: () => queue.querySelector("#q").focus(),
  escape: ({ target }, details) => {
    if (inline.isOpening) inline.closeAll();
    const row = target.closest(".row");
    const wasOpen = row && inline.close(row);
    if (row && (wasOpen || details)) return rows.focus(row);
    notice.hide();
    if (target.id === "q" && rows.shown.length) rows.focus(rows.current ?? rows.shown[0]);
  },
});
