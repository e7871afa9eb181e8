// Taking part without writing: votes on comments, and reports of them.
import { dress } from "./dress.js";
import { PART_STYLES } from "./generated.js";
import { Memory } from "./part-memory.js";
import { openReport } from "./part-report.js";
import { Votes } from "./part-votes.js";

const equipped = new WeakSet();

export class Part {
  #given;

  /** `given`: {service, receipts, reader, speech, votes: how readers vote, say(words)}. */
  constructor(given) {
    const memory = new Memory(given.service.site, given.reader);
    this.#given = { ...given, memory, receiptFor: (id) => receiptFor(id, memory, given.receipts.all()) };
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
function receiptFor(id, memory, receipts) {
  const own = receipts.find((each) => each.id === id);
  const voted = memory.of(id);
  return (own ?? (voted.vote === "none" ? receipts.at(-1) : voted))?.receipt;
}
