// The reader's own comments that can be changed yet. What does that (mine.js) comes where there is one.
import { equipText } from "./comment-form.js";
import { MINE } from "./generated.js";
import { showHtml } from "./safe-html.js";
import { Trouble } from "./trouble.js";

export class OwnComments {
  #context;
  #known = new Map();

  /** `context`: {service, signal, receipts, edits: drafts, speech, limit, say(words), onPublished(comment), onGone(comment)}. */
  constructor(context) {
    this.#context = context;
  }

  /** Those that can be changed or wait; what is over is asked for no more. `has` tells what the page shows. */
  async load(has) {
    const { receipts, service, signal } = this.#context;
    const asked = receipts.all().map(async (kept) => {
      if (has(kept.id) && !(kept.until > Date.now())) return receipts.forget(kept.id);
      try {
        const { comment } = await service.own(kept, { signal });
        if (comment.status === "pending" || (comment.status === "approved" && comment.editable_until)) {
          this.#known.set(comment.id, { kept, comment });
          return comment;
        }
      } catch (problem) {
        if (problem.status !== 403 && problem.status !== 404) return null;
      }
      return receipts.forget(kept.id);
    });
    return (await Promise.all(asked)).filter(Boolean);
  }

  /** One that was just posted. */
  add(comment, receipt) {
    const kept = { id: comment.id, receipt, until: Date.parse(comment.editable_until) };
    this.#context.receipts.add(kept);
    this.#known.set(comment.id, { kept, comment });
  }

  /** Give a comment that is shown its buttons, if it is an own one. */
  async equip(id, article) {
    const own = this.#known.get(id);
    if (!own || !article) return;
    const { service, signal, speech, limit } = this.#context;
    const { tools } = await import(new URL(MINE, service.base)).catch(() => ({}));
    tools?.(article, own, {
      ...this.#context,
      showHtml,
      ready: (text) => equipText(text, speech, service, limit),
      trouble: () => new Trouble(speech, signal),
      onGone: (comment) => this.#forget(comment),
    });
  }

  #forget(comment) {
    this.#known.delete(comment.id);
    this.#context.receipts.forget(comment.id);
    this.#context.onGone(comment);
  }
}
