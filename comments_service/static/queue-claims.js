// Who else looks at what: asked for while this page is looked at, told in the row.

const EVERY_MS = 15_000;
const RESTING_MS = 1_000; // the keyboard passes many rows; the one it rests on is looked at

export class Claims {
  #form;
  #parts;
  #timer;
  #told = new Set();

  /** `parts`: rows, door, desk, speech. */
  constructor(form, parts) {
    this.#form = form;
    this.#parts = parts;
    form.addEventListener("focusin", () => this.#soon(RESTING_MS));
    document.addEventListener("visibilitychange", () => this.#soon(0));
    this.#soon(RESTING_MS);
  }

  #soon(wait) {
    clearTimeout(this.#timer);
    if (document.visibilityState === "visible") this.#timer = setTimeout(() => this.#ask(), wait);
  }

  async #ask() {
    const { rows, door } = this.#parts;
    const own = rows.current;
    const ids = [...new Set([own, ...rows.shown])].filter(Boolean).map(({ dataset }) => `${dataset.id}:${dataset.version}`);
    try {
      if (ids.length) this.#tell(await door.post(this.#form.dataset.claims, ids.map((id) => ["id", id])));
    } catch {
      // whoever decides is told what is wrong; looking alone needs no answer
    }
    this.#soon(EVERY_MS);
  }

  #tell({ claims, changed }) {
    const { rows, desk, speech } = this.#parts;
    for (const id of this.#told) if (!(id in claims) && rows.at(id)) rows.tell(rows.at(id), "quiet", "");
    this.#told = new Set(Object.keys(claims));
    for (const [id, { name }] of Object.entries(claims)) {
      const row = rows.at(id);
      if (row && !row.inert) rows.tell(row, "claim", speech.say("queue.live.claim", { name }));
    }
    for (const [id, { sentence }] of Object.entries(changed)) {
      if (!rows.at(id)?.ariaBusy) desk.tellElsewhere(id, sentence); // what is on its way gets its own answer
    }
  }
}
