// The reader's own comments that can be changed yet: which these are, and their buttons wherever they are shown.
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

  /** Those that can be changed or wait; what is over is asked for no more. `has` tells what the page shows. */
  async load(has) {
    const { receipts, service, signal } = this.#given;
    const asked = receipts.all().map(async (kept) => {
      if (has(kept.id) && !(kept.until > Date.now())) return receipts.forget(kept.id);
      try {
        const { comment } = await service.own(kept, { signal });
        if (comment.status === "pending" || (comment.status === "approved" && comment.editable_until)) {
          this.know(comment, kept);
          return comment;
        }
      } catch (problem) {
        if (problem.status !== 403 && problem.status !== 404) return null;
      }
      return receipts.forget(kept.id);
    });
    return (await Promise.all(asked)).filter(Boolean);
  }

  know(comment, kept) {
    this.#known.set(comment.id, { kept, comment });
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
