// The reader's own comments that can be changed yet: which these are, and their buttons wherever they are shown.
import { askOwn } from "./mine-door.js";
import { tools } from "./mine-tools.js";

export class Mine {
  #given;
  #known = new Map();

  /**
   * `given`: {service, signal, receipts, edits: drafts, speech, say(words), onPublished(comment), onGone(comment),
   * showHtml: the page's one door for HTML, ready(text): what helps with writing, trouble(): where errors are told}.
   */
  constructor(given) {
    this.#given = given;
  }

  /**
   * Those that can be changed, wait, or were declined; what is over is asked for no more. `has` tells what the page
   * shows.
   */
  async load(has) {
    const asked = this.#given.receipts.all().map(async (kept) => {
      if (has(kept.id) && !(kept.until > Date.now())) return this.#given.receipts.forget(kept.id);
      const comment = await this.#ask(kept);
      return comment && (comment.status !== "approved" || comment.editable_until) ? comment : null;
    });
    return (await Promise.all(asked)).filter(Boolean);
  }

  /** One that is known, as it is by now; nothing where the service does not say. */
  look(id) {
    const own = this.#known.get(id);
    return own && this.#ask(own.kept);
  }

  async #ask(kept) {
    const { receipts, service, signal } = this.#given;
    try {
      const { comment } = await askOwn(service, kept, { signal });
      if (comment.status === "approved" && !comment.editable_until) receipts.forget(kept.id);
      return this.know(comment, kept);
    } catch (problem) {
      if (problem.status === 403 || problem.status === 404) receipts.forget(kept.id);
      return null;
    }
  }

  /** One comment is one object, however often it is asked for. */
  know(comment, kept) {
    const own = this.#known.get(comment.id) ?? { kept, comment };
    this.#known.set(comment.id, own);
    return Object.assign(own.comment, comment);
  }

  equip(id, article) {
    const own = this.#known.get(id);
    if (own && article) tools(article, own, { ...this.#given, onGone: (comment) => this.#forget(comment) });
  }

  #forget(comment) {
    this.#known.delete(comment.id);
    this.#given.receipts.forget(comment.id);
    this.#given.onGone(comment);
  }
}
