// One key a decision, as moderators know them from WordPress; with a sheet that tells of them and a switch.

const SWITCH = "comments.queue.keys"; // "off" where somebody turned them off (WCAG 2.1.4)
const VERBS = {
  ...{ a: "approve", u: "unapprove", s: "spam", d: "trash", z: "undo" },
  ...{ f: "flag", p: "pin", c: "pick", i: "dismiss" },
};
const DOORS = { m: "move", b: "author", o: "article" };
const SINGLE = { j: "next", k: "previous", r: "reply", q: "quickEdit", e: "edit", x: "tick", "/": "search", "?": "help" };
const REPEATING = new Set(["next", "previous"]); // a key that is held decides once only

export class Keys {
  #actions;
  #sheet = document.querySelector("[data-keys]");
  #queue = document.querySelector(".queue");

  /**
   * `actions` by name: decide(verb) and decideTicked(verb), open(door) and openTicked(door), and one for each
   * single key.
   */
  constructor(actions) {
    this.#actions = { ...actions, help: () => this.#sheet.showModal() };
    addEventListener("keydown", (event) => this.#press(event));
    this.#prepareSheet();
  }

  get isOn() {
    return stored() !== "off";
  }

  #press(event) {
    if (event.key === "Escape") return this.#escape(event);
    if (!this.isOn || !isMeant(event, this.#queue)) return;
    const action = this.#actionOf(letterOf(event), event.shiftKey);
    if (!action) return;
    event.preventDefault();
    if (this.#actions.isWaiting()) return;
    if (!event.repeat || REPEATING.has(action.name)) action.run();
  }

  #actionOf(letter, isShifted) {
    if (isShifted && letter === "x") return { run: this.#actions.tickAll };
    if (letter in VERBS) {
      const decide = isShifted ? this.#actions.decideTicked : this.#actions.decide;
      return { run: () => decide(VERBS[letter]) };
    }
    if (letter in DOORS) {
      const open = isShifted ? this.#actions.openTicked : this.#actions.open;
      return { run: () => open(DOORS[letter]) };
    }
    const name = SINGLE[letter];
    return name && (!isShifted || letter === "?" || letter === "/") && { name, run: this.#actions[name] };
  }

  /** Close what is open around the focus, and give the keyboard back to the row. */
  #escape(event) {
    const open = event.target.closest?.('[name="menu"][open]');
    if (open) open.open = false;
    this.#actions.escape(event, open);
  }

  #prepareSheet() {
    const opener = document.querySelector("[data-help]");
    const box = this.#sheet.querySelector("[data-switch]");
    opener.hidden = false;
    opener.addEventListener("click", () => this.#sheet.showModal());
    this.#sheet.addEventListener("click", (event) => {
      if (event.target === this.#sheet) this.#sheet.close(); // beside the sheet
    });
    box.checked = this.isOn;
    this.#queue.classList.toggle("queue--keys", this.isOn);
    box.addEventListener("change", () => {
      store(box.checked ? "on" : "off");
      this.#queue.classList.toggle("queue--keys", box.checked);
    });
  }
}

/** Not while somebody types, not for the browser's own keys, and only where the queue has the keyboard. */
function isMeant(event, queue) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return false;
  const { target } = event;
  if (target.closest("dialog")) return false;
  if (target.matches("textarea, select, [contenteditable], input:not([type=checkbox])")) return false;
  return queue.contains(target) || target === document.body || target.id === "content";
}

/** The letter of the key; on a keyboard of another script the one that stands at its place. */
function letterOf({ key, code }) {
  if (/^[ -~]$/.test(key)) return key.toLowerCase();
  return /^Key[A-Z]$/.test(code) ? code.at(-1).toLowerCase() : "";
}

function stored() {
  try {
    return localStorage.getItem(SWITCH);
  } catch {
    return null; // a browser that keeps nothing
  }
}

function store(value) {
  try {
    localStorage.setItem(SWITCH, value);
  } catch {
    // then it counts for nobody but this page's next visitor
  }
}
