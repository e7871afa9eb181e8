// Taking part without writing: votes on comments, and reports of them.
import { dress } from "./dress.js";
import { PART_STYLES } from "./generated.js";
import { openReport } from "./part-report.js";
import { Votes } from "./part-votes.js";

const equipped = new WeakSet();

export class Part {
  #given;

  /** `given`: {service, receipts, ballots: the votes that this browser knows of, speech, votes: how readers vote, say(words)}. */
  constructor(given) {
    this.#given = { ...given, receiptFor: (id) => receiptFor(id, given) };
  }

  equip(comment, article) {
    if (!comment.votes || equipped.has(article)) return;
    equipped.add(article);
    dress(article.getRootNode(), PART_STYLES);
    article.querySelector(".comment__actions").prepend(new Votes(comment, this.#given).element);
  }

  report(comment, button) {
    dress(button.getRootNode(), PART_STYLES);
    openReport(comment, button, this.#given);
  }
}

/** The own comment's, so that the service knows; else the one this was voted with; else the last. */
function receiptFor(id, { receipts, ballots }) {
  const its = (kept) => kept.find((each) => each.id === id);
  const known = receipts.all();
  return (its(known) ?? its(ballots.all()) ?? known.at(-1))?.receipt;
}
