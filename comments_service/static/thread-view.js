// One loaded thread on the screen: heading, pages of comments, the reader's own ones, the form.
import { CommentForm } from "./comment-form.js";
import { waitingNote } from "./comment.js";
import { make } from "./dom.js";
import { News } from "./news.js";
import { OwnComments } from "./own-comments.js";
import { addressedComment, selectedIn } from "./page.js";
import { Pointer } from "./pointing.js";
import { TakingPart } from "./taking-part.js";
import { ThreadPages } from "./thread-pages.js";

const NEAREST = { block: "nearest", behavior: "instant" };
const OWN_PATIENCE_MS = 1_000;

export class ThreadView {
  #speech;
  #context;
  #pages;
  #list;
  #own;
  #part;
  #form;
  #pointer = new Pointer();
  #waiting = new Set();
  #heading = make("h2", { class: "comments__heading" });
  #home = make("div", { class: "comments__respond" });
  #status = make("p", { class: "unseen", role: "status" });

  /** `context`: {service, signal, speech, drafts, receipts, reader, order, tell(event, detail), trouble: the words for it}. */
  constructor(page, context) {
    const { thread, form } = page;
    this.#speech = context.speech;
    this.#context = context;
    const told = { ...context, say: (words) => this.#say(words) };
    this.#own = new OwnComments({
      ...told,
      limit: form.limits.text_bytes,
      onPublished: (comment) => this.#published(comment),
      onGone: (comment) => this.#settled(comment),
    });
    this.#part = new TakingPart({ ...told, votes: form.votes });
    this.#pages = new ThreadPages(this.#speech, form, {
      ...context,
      onReply: thread.open && ((comment) => this.#reply(comment)),
      onReport: form.reports && ((comment, button) => this.#part.report(comment, button)),
      onReplace: (show) => this.#replace(show),
      onGo: () => this.followAddress("smooth"),
      onShown: (comment, article) => [this.#own, this.#part].map((each) => each.equip(comment, article)),
      tell: told.say,
    });
    this.#list = this.#pages.list;
    const parts = { pages: this.#pages, own: this.#own, waiting: this.#waiting };
    this.news = new News({ ...told, ...parts, head: (now) => this.#head(now), recount: () => this.#recount(), point: (id) => this.#point(id, NEAREST) });
    this.#pages.show(page);
    this.#head(thread);
    if (thread.open) this.#offerForm(form);
    else this.#home.append(make("p", { class: "comments__closed" }, this.#speech.say("thread.closed")));
  }

  get elements() {
    const head = make("div", { class: "comments__head" }, this.#heading, this.#pages.order);
    return [head, ...this.#pages.elements, this.#home, this.#status];
  }

  /** Before anything is shown, and would move: own comments, if there are any, and `more`. Not for ever, though. */
  prepare(more) {
    return Promise.race([Promise.all([this.#showOwn(), more]), new Promise((resolve) => setTimeout(resolve, OWN_PATIENCE_MS))]);
  }

  /** What comes once the thread is on the screen: the way to where the reader was or wants to go. */
  async begin(asked) {
    if (addressedComment()) return this.followAddress("instant", asked);
    const begun = this.#context.drafts.latest;
    if (this.#form && begun && !this.#form.parent) await this.#pages.open(begun); // a reply begun on another page
    if (this.#form && !this.#form.parent) this.#resume();
  }

  /** Go where the page's address points; `asked` has been looked for already. */
  async followAddress(behavior, asked) {
    const id = addressedComment();
    if (!id) return;
    if (!this.#list.has(id)) {
      const isThere = id !== asked && (await this.#pages.open(id));
      if (isThere === false) this.#pages.miss();
      if (!isThere) return;
    }
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#point(id, { block: "start", behavior: calm ? "instant" : behavior });
  }

  /** The own comments: what waits stands at the end, what is published gets its buttons wherever it is shown. */
  async #showOwn() {
    for (const comment of await this.#own.load((id) => this.#list.has(id))) {
      if (comment.status === "approved") this.#own.equip(comment, this.#list.article(comment.id));
      else this.#showWaiting(comment);
    }
  }

  #offerForm(rules) {
    this.#form = new CommentForm({
      ...this.#context,
      rules,
      user: rules.signed_names ? this.#context.user : null,
      onPosted: (answer) => this.#posted(answer),
      onCancel: () => this.#cancelReply(),
    });
    this.#home.append(this.#form.element);
    this.#resume();
  }

  /** A reload in the middle of a reply goes on there. */
  #resume() {
    const begun = this.#list.comment(this.#context.drafts.latest);
    if (begun) this.#moveForm(begun);
  }

  /** Other comments come; the form is kept with its text, below the same one if that is still there. */
  #replace(show) {
    if (this.#form) this.#home.append(this.#form.element);
    show();
    for (const comment of this.#waiting) this.#showWaiting(comment);
    if (this.#form?.parent) this.#list.article(this.#form.parent)?.after(this.#form.element);
  }

  #head({ heading, count }) {
    this.#heading.textContent = heading || this.#speech.say("thread.label");
    this.#heading.classList.toggle("unseen", !heading); // the form's title needs one above it
    this.#context.tell("comments:count", { count });
  }

  #moveForm(comment) {
    this.#list.article(comment.id).after(this.#form.element);
    this.#form.turnTo(comment);
  }

  #bringFormHome() {
    this.#home.append(this.#form.element);
    this.#form.turnTo(null);
  }

  #reply(comment) {
    if (this.#form.busy) return;
    const quoted = selectedIn(this.#list.article(comment.id));
    this.#moveForm(comment);
    this.#form.focus();
    this.#form.quote(quoted);
  }

  #cancelReply() {
    if (this.#form.busy) return;
    const answered = this.#list.article(this.#form.parent);
    this.#bringFormHome();
    if (answered) answered.querySelector(".comment__actions > button").focus();
    else this.#form.focus();
  }

  #posted({ comment, receipt }) {
    this.#own.add(comment, receipt);
    this.#bringFormHome();
    const waiting = comment.status === "pending";
    if (waiting) this.#showWaiting(comment);
    else this.#pages.addNew(comment);
    this.#point(comment.id, NEAREST);
    this.#say(this.#speech.say(waiting ? waitingNote(comment) : "note.posted"));
    this.#context.tell("comments:posted", { id: comment.id, status: comment.status });
    if (!waiting) this.#recount();
  }

  /** An own comment that had waited: its edit was found good at once. */
  #published(comment) {
    this.#list.add(comment);
    this.#point(comment.id, NEAREST);
    this.#settled(comment);
  }

  #settled(comment) {
    this.#waiting.delete(comment);
    this.#recount();
  }

  #showWaiting(comment) {
    this.#waiting.add(comment);
    this.#list.add(comment, { waiting: true });
  }

  async #recount() {
    const { service, signal } = this.#context;
    const page = await service.thread({}, { signal, cache: "no-cache" }).catch(() => null);
    if (page) this.#head(page.thread);
  }

  #say(words) {
    this.#status.textContent = words;
  }

  #point(id, scrolling) {
    this.#list.reveal(id);
    this.#pointer.point(this.#list.article(id), scrolling);
  }
}
