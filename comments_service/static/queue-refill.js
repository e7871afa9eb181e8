// As rows leave, the page fills up from below, before anybody comes to its end.

const ENOUGH_MISSING = 5;

export class Refill {
  #queue;
  #rows;
  #door;
  #size;
  #isEnded;
  #loading = null;

  constructor(queue, rows, door) {
    this.#queue = queue;
    this.#rows = rows;
    this.#door = door;
    this.#size = Number(queue.dataset.size);
    this.#isEnded = !document.querySelector("[data-pages] [rel=next]");
  }

  /** Load what is missing. `isUrgent`: even one row. */
  async fill({ isUrgent = false } = {}) {
    const missing = this.#size - this.#rows.shown.length;
    if (this.#isEnded || missing < (isUrgent ? 1 : ENOUGH_MISSING)) return;
    this.#loading ??= this.#load(missing).finally(() => (this.#loading = null));
    await this.#loading;
  }

  async #load(count) {
    const query = new URLSearchParams(this.#queue.dataset.query);
    query.set("cursor", this.#rows.end.dataset.cursor);
    query.set("count", count);
    try {
      const piece = await this.#door.piece(`${this.#queue.dataset.rows}?${query}`);
      const found = piece.querySelectorAll(".row");
      this.#rows.put([...found].filter((row) => !this.#rows.at(row.dataset.id)));
      this.#isEnded = found.length < count;
    } catch {
      return; // the next decision tries again, and the link to older comments is still there
    }
    this.#turn();
  }

  /** The link to older comments goes on after the last row here. */
  #turn() {
    const link = document.querySelector("[data-pages] [rel=next]");
    const address = new URL(link.href);
    address.searchParams.set("cursor", this.#rows.end.dataset.cursor);
    link.href = address;
    link.hidden = this.#isEnded;
  }
}
