// What this browser keeps for the reader. Storage may be full, blocked or filled by somebody else: then nothing is kept.

function read(storage, key) {
  try {
    return JSON.parse(window[storage].getItem(key));
  } catch {
    return null;
  }
}

function write(storage, key, value) {
  try {
    if (value) window[storage].setItem(key, JSON.stringify(value));
    else window[storage].removeItem(key);
  } catch {
    // nothing to do for the reader here: the text on the screen is still there
  }
}

/** Unfinished texts of this tab, one for each article and parent. Never a name, never an email. */
export class Drafts {
  #key;
  #texts;

  constructor(scope) {
    this.#key = "comments:drafts:" + scope;
    const kept = read("sessionStorage", this.#key);
    this.#texts = new Map(Array.isArray(kept) ? kept : []);
  }

  get(parent) {
    return this.#texts.get(parent ?? "") ?? "";
  }

  set(parent, text) {
    this.#texts.delete(parent ?? "");
    if (text) this.#texts.set(parent ?? "", text); // the last one written to stands last
    write("sessionStorage", this.#key, this.#texts.size && [...this.#texts]);
  }

  /** The parent written to last, "" for the article itself; undefined when nothing is begun. */
  get latest() {
    return [...this.#texts.keys()].pop();
  }
}

/** This tab's rights to its own comments that are not public yet. */
export class Receipts {
  #key;

  constructor(scope) {
    this.#key = "comments:receipts:" + scope;
  }

  all() {
    const kept = read("sessionStorage", this.#key);
    return Array.isArray(kept) ? kept : [];
  }

  add(id, receipt) {
    write("sessionStorage", this.#key, [...this.all(), { id, receipt }].slice(-20));
  }

  forget(id) {
    const left = this.all().filter((each) => each.id !== id);
    write("sessionStorage", this.#key, left.length && left);
  }
}

/** What was sent without an answer, by the name and the key of its sending: it may have arrived. */
export class Unsent {
  #key;

  constructor(scope) {
    this.#key = "comments:unsent:" + scope;
  }

  get kept() {
    return read("sessionStorage", this.#key);
  }

  keep(sending) {
    write("sessionStorage", this.#key, sending);
  }
}

/** The order that this reader has chosen, in this tab. */
export class Order {
  #key;

  constructor(site) {
    this.#key = "comments:sort:" + site;
  }

  get kept() {
    return read("sessionStorage", this.#key);
  }

  keep(sort) {
    write("sessionStorage", this.#key, sort);
  }
}

/** Name, email and website from one visit to the next: only with the reader's consent, gone when it ends. */
export class Reader {
  #key;

  constructor(site) {
    this.#key = "comments:reader:" + site;
  }

  get kept() {
    return read("localStorage", this.#key);
  }

  keep(details) {
    write("localStorage", this.#key, details);
  }

  forget() {
    write("localStorage", this.#key, null);
  }
}
