// Looks for news of a thread that is on the screen: new comments, and what became of the own ones that wait.
import { make } from "./dom.js";
import { dress } from "./dress.js";
import { repeat } from "./fresh-rhythm.js";
import { FRESH_STYLES } from "./generated.js";
import { keepPlace } from "./steady.js";

const MOST_PAGES = 10;

/**
 * `given`: {service, signal, speech, pages, own: OwnComments, waiting: the own ones that wait, head(thread),
 * recount(), say(words), point(id)}. It ends with its signal.
 */
export function watch(given) {
  const fresh = new Fresh(given);
  repeat(() => fresh.look(), given.pages.list.element.parentNode, given.signal);
}

class Fresh {
  #given;
  #seen;
  #told = 0;
  #offer = make("button", { type: "button", class: "button comments__new" });

  constructor(given) {
    this.#given = given;
    this.#offer.addEventListener("click", () => this.#show());
    dress(given.pages.list.element.getRootNode(), FRESH_STYLES);
  }

  /** Answers whether something has happened since it was looked last. */
  async look() {
    let happened = false;
    for (const comment of this.#given.waiting) happened = (await this.#lookAt(comment)) || happened;
    const found = await this.#read();
    if (!found) return happened;
    const before = this.#offer.isConnected ? this.#told : 0;
    this.#told = this.#unknown(found.comments).length;
    if (this.#told) this.#tell();
    else this.#offer.remove();
    return happened || this.#told > before;
  }

  /** One line, where new comments would come. It moves nothing, and is announced once. */
  #tell() {
    const { speech, say, pages } = this.#given;
    this.#offer.textContent = speech.say("thread.new", { count: this.#told });
    if (this.#offer.isConnected) return;
    keepPlace(() => this.#anchor(), () => pages.news.append(this.#offer));
    say(this.#offer.textContent);
  }

  async #show() {
    const { pages, head, point } = this.#given;
    pages.tellTrouble(false);
    const found = await this.#read(true).catch(() => pages.tellTrouble(true));
    if (!found) return; // the button is still there, if it is still about what is on the screen
    const [first] = this.#unknown(found.comments);
    keepPlace(
      () => this.#anchor(),
      () => {
        this.#offer.remove();
        pages.merge(found.comments, found.next);
      },
    );
    head(found.thread);
    if (first) point(first.id);
  }

  #unknown(comments) {
    return comments.filter(({ id, removed }) => !removed && !this.#given.pages.list.has(id));
  }

  /**
   * The part of the thread that is on the screen, as it is by now. The browser asks with the validator of what it has,
   * so it costs a 304 where nothing has changed. Then there is no answer, unless it is wanted `anyway`; and none where
   * the reader has turned to other comments meanwhile.
   */
  async #read(anyway = false) {
    const { service, signal, pages } = this.#given;
    const { turn } = pages;
    const { begin, goesOn } = pages.stretch;
    const ask = (part) => service.thread(part, { signal, cache: "no-cache" });
    const { thread, ...first } = await ask(begin);
    if (begin.comment && !first.comments.some(({ id }) => id === begin.comment)) throw new Error("its begin is gone");
    const mark = JSON.stringify([thread.count, first.comments.map(({ id }) => id)]);
    if (mark === this.#seen && !anyway) return null;
    const comments = [...first.comments];
    const wanted = pages.list.tops.length;
    let { next } = first;
    for (let read = 1; next && read < MOST_PAGES; read += 1) {
      if (goesOn && comments.filter(({ root }) => !root).length >= wanted) break;
      const page = await ask({ cursor: next });
      comments.push(...page.comments);
      next = page.next;
    }
    if (pages.turn !== turn) return null;
    this.#seen = mark;
    return goesOn ? { thread, comments: this.#within(comments) } : { thread, comments, next };
  }

  /** Up to the last one that is on the screen: what has moved up from behind it is not new. */
  #within(comments) {
    const end = comments.findLastIndex(({ id, root }) => !root && this.#given.pages.list.has(id));
    const behind = comments.findIndex(({ root }, place) => place > end && !root);
    return behind < 0 ? comments : comments.slice(0, behind);
  }

  /** What became of an own comment that waits: its place changes with its status, and its author hears of it. */
  async #lookAt(comment) {
    const { own, pages, waiting, say, speech, recount } = this.#given;
    const isBeingChanged = pages.list.article(comment.id).querySelector("form"); // its author hears of it afterwards
    if (comment.status !== "pending" || isBeingChanged) return false;
    const now = await own.look(comment.id);
    if (!now || now.status === "pending" || !waiting.has(comment)) return false;
    const before = pages.list.article(comment.id);
    if (now.status === "declined") {
      own.equip(now, before);
      say([speech.say("note.declined"), now.note].filter(Boolean).join(" "));
      return true;
    }
    const hadFocus = before.matches(":focus-within");
    waiting.delete(comment);
    keepPlace(() => this.#anchor(), () => pages.addNew(now));
    if (hadFocus) pages.list.article(comment.id).focus({ preventScroll: true });
    say(speech.say("note.posted"));
    await recount();
    return true;
  }

  /** What must not move: where the reader types, else the first comment on the screen. */
  #anchor() {
    const frame = this.#given.pages.list.element.parentNode;
    const typed = frame.querySelector("form:focus-within");
    return typed ?? [...frame.querySelectorAll("article")].find((each) => each.getBoundingClientRect().bottom > 0);
  }
}
