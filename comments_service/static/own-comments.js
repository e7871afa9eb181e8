// The reader's own comments. What knows about them (mine.js) comes where there are any.
import { equipText } from "./comment-form.js";
import { MINE } from "./generated.js";
import { showHtml } from "./safe-html.js";
import { Trouble } from "./trouble.js";

export class OwnComments {
  #context;
  #mine;

  /** `context`: {service, signal, receipts, edits: drafts, speech, limit, say(words), onPublished(comment), onGone(comment)}. */
  constructor(context) {
    this.#context = context;
    if (context.receipts.all().length) this.#come();
  }

  /** Those that can be changed or wait. `has` tells what the page shows. */
  async load(has) {
    return (await (await this.#mine)?.load(has)) ?? [];
  }

  /** One that waits, as it is by now; nothing where that is not known. */
  async look(id) {
    return (await this.#mine)?.look(id);
  }

  /** One that was just posted. */
  async add(comment, receipt) {
    const kept = { id: comment.id, receipt, until: Date.parse(comment.editable_until) };
    this.#context.receipts.add(kept);
    (await this.#come())?.know(comment, kept);
  }

  /** Give a comment that is shown its buttons, if it is an own one. */
  async equip({ id }, article) {
    (await this.#mine)?.equip(id, article);
  }

  #come() {
    const { service, signal, speech, limit } = this.#context;
    const given = {
      ...this.#context,
      showHtml,
      ready: (text) => equipText(text, speech, service, limit),
      trouble: () => new Trouble(speech, signal),
    };
    return (this.#mine ??= import(new URL(MINE, service.base)).then(
      ({ Mine }) => new Mine(given),
      () => (this.#mine = null), // the next one asks again
    ));
  }
}
