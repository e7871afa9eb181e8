// Which way the reader voted, as far as this browser knows: in this tab, and longer only with the reader's consent.

const STORAGES = ["sessionStorage", "localStorage"];
const MOST = 200;

export class Memory {
  #key;
  #reader;

  constructor(site, reader) {
    this.#key = "comments:votes:" + site;
    this.#reader = reader;
  }

  /** What was said of a comment: {vote, receipt?}. */
  of(id) {
    const kept = STORAGES.map((storage) => this.#in(storage).find((each) => each.id === id));
    return kept.find(Boolean) ?? { vote: "none" };
  }

  keep(id, vote, receipt) {
    const chosen = STORAGES[Number(Boolean(this.#reader.kept))];
    for (const storage of STORAGES) {
      const others = this.#in(storage).filter((each) => each.id !== id);
      const isHere = storage === chosen && vote !== "none";
      this.#write(storage, isHere ? [...others, { id, vote, receipt }].slice(-MOST) : others);
    }
  }

  #in(storage) {
    try {
      const kept = JSON.parse(window[storage].getItem(this.#key));
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }

  #write(storage, votes) {
    try {
      if (votes.length) window[storage].setItem(this.#key, JSON.stringify(votes));
      else window[storage].removeItem(this.#key);
    } catch {
      // full or blocked: the vote is counted all the same
    }
  }
}
