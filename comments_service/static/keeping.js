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

function keysOf(storage) {
  try {
    return Object.keys(window[storage]);
  } catch {
    return [];
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

const RECEIPTS = "comments:receipts:";
const STORAGES = ["sessionStorage", "localStorage"];

/** The rights to own comments: {id, receipt, until}. Of this tab; for longer only with the reader's consent. */
export class Receipts {
  #key;
  #reader;

  constructor(scope, reader) {
    this.#key = RECEIPTS + scope;
    this.#reader = reader;
  }

  all() {
    return STORAGES.flatMap((storage) => this.#in(storage));
  }

  add(kept) {
    const storage = STORAGES[Number(Boolean(this.#reader.kept))];
    write(storage, this.#key, [...this.#in(storage), kept].slice(-20));
  }

  forget(id) {
    for (const storage of STORAGES) {
      const left = this.#in(storage).filter((each) => each.id !== id);
      write(storage, this.#key, left.length && left);
    }
  }

  #in(storage) {
    const kept = read(storage, this.#key);
    return Array.isArray(kept) ? kept : [];
  }
}

/** One thing that is kept under one name. */
class Kept {
  #storage;
  #key;

  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
  }

  get kept() {
    return read(this.#storage, this.#key);
  }

  keep(value) {
    write(this.#storage, this.#key, value);
  }
}

/** What was sent without an answer, by the name and the key of its sending: it may have arrived. */
export function unsentOf(scope) {
  return new Kept("sessionStorage", "comments:unsent:" + scope);
}

/** The order that this reader has chosen, in this tab. */
export function orderOf(site) {
  return new Kept("sessionStorage", "comments:sort:" + site);
}

/** Name, email and website from one visit to the next: only with the reader's consent, gone when it ends. */
export class Reader extends Kept {
  #site;

  constructor(site) {
    super("localStorage", "comments:reader:" + site);
    this.#site = site;
  }

  forget() {
    this.keep(null);
    write("localStorage", "comments:votes:" + this.#site, null);
    for (const key of keysOf("localStorage")) {
      if (key.startsWith(RECEIPTS + this.#site + " ")) write("localStorage", key, null);
    }
  }
}
