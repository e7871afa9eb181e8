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
const VOTES = "comments:votes:";
const STORAGES = ["sessionStorage", "localStorage"];

/** What is known of comments, each by its `id`: of this tab; for longer only with the reader's consent. */
class Shelf {
  #key;
  #reader;
  #most;

  constructor(key, reader, most) {
    this.#key = key;
    this.#reader = reader;
    this.#most = most;
  }

  all() {
    return STORAGES.flatMap((storage) => this.#in(storage));
  }

  add(kept) {
    this.forget(kept.id);
    const storage = STORAGES[Number(Boolean(this.#reader.kept))];
    write(storage, this.#key, [...this.#in(storage), kept].slice(-this.#most));
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

/** The rights to own comments: {id, receipt, until}. */
export function receiptsOf(scope, reader) {
  return new Shelf(RECEIPTS + scope, reader, 20);
}

/** Which way the reader voted: {id, vote, receipt?}. */
export function votesOf(site, reader) {
  return new Shelf(VOTES + site, reader, 200);
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
    write("localStorage", VOTES + this.#site, null);
    for (const key of keysOf("localStorage")) {
      if (key.startsWith(RECEIPTS + this.#site + " ")) write("localStorage", key, null);
    }
  }
}
