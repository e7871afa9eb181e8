// What readers say by a click. What knows about it (part.js) comes where there are votes, or when somebody reports a comment.
import { PART } from "./generated.js";
import { Trouble } from "./trouble.js";

export class TakingPart {
  #context;
  #part;

  /** `context`: {service, signal, receipts, reader, speech, votes: how readers vote, say(words)}. */
  constructor(context) {
    this.#context = context;
    if (context.votes !== "off") this.#come();
  }

  /** Give a comment that is shown its buttons for votes. */
  async equip(comment, article) {
    (await this.#part)?.equip(comment, article);
  }

  /** Ask why, below the comment of this button. */
  async report(comment, button) {
    (await this.#come())?.report(comment, button);
  }

  #come() {
    const { service, speech, signal } = this.#context;
    const given = { ...this.#context, trouble: () => new Trouble(speech, signal) };
    return (this.#part ??= import(new URL(PART, service.base)).then(
      ({ Part }) => new Part(given),
      () => (this.#part = null), // the next one asks again
    ));
  }
}
