// What readers say by a click. What knows about it (part.js) comes where there are votes, or when somebody reports a comment.
import { PART } from "./generated.js";

export class TakingPart {
  #context;
  #part;

  /** `context`: {service, receipts, ballots, speech, votes: how readers vote, say(words)}. */
  constructor(context) {
    this.#context = context;
    if (context.votes !== "off") this.#come();
  }

  /** Give a comment that is shown its buttons for votes. */
  async equip(comment, article) {
    (await this.#part)?.equip(comment, article);
  }

  /** Ask why, below the comment of this button; where that does not come, on a page of its own. */
  async report(comment, button) {
    const part = await this.#come();
    if (part) part.report(comment, button);
    else open(new URL("comments/" + comment.id + "/report", this.#context.service.base));
  }

  #come() {
    return (this.#part ??= import(new URL(PART, this.#context.service.base)).then(
      ({ Part }) => new Part(this.#context),
      () => (this.#part = null), // the next one asks again
    ));
  }
}
