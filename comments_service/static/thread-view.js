// One loaded thread on the screen: heading, comments, the reader's own ones, the form.
import { CommentForm } from "./comment-form.js";
import { waitingNote } from "./comment.js";
import { CommentList } from "./comment-list.js";
import { make } from "./dom.js";
import { addressedComment } from "./page.js";
import { Speech } from "./speech.js";

const MAX_PAGES_FOR_ONE_LINK = 50;

export class ThreadView {
  #speech;
  #context;
  #list;
  #form;
  #next;
  #target;
  #heading = make("h2", { class: "comments__heading" });
  #more = make("button", { type: "button", class: "button button--calm" });
  #trouble = make("p", { class: "comments__trouble", role: "status" });
  #home = make("div", { class: "comments__respond" });
  #status = make("p", { class: "unseen", role: "status" });

  /** `context`: {service, signal, drafts, receipts, reader, tell(event, detail), trouble: the words for it}. */
  constructor({ thread, comments, next, form }, context) {
    this.#speech = new Speech(form.texts, form.language);
    this.#context = context;
    this.#list = new CommentList(this.#speech, {
      maxDepth: form.max_depth,
      onReply: thread.open ? (comment) => this.#reply(comment) : null,
    });
    this.#more.textContent = this.#speech.say("thread.more");
    this.#more.addEventListener("click", () => this.#showMore());
    this.#add(comments, next);
    this.#head(thread);
    if (thread.open) this.#offerForm(form);
    else this.#home.append(make("p", { class: "comments__closed" }, this.#speech.say("thread.closed")));
  }

  get elements() {
    const { element, own } = this.#list;
    return [this.#heading, element, this.#more, this.#trouble, own, this.#home, this.#status];
  }

  /** This tab's comments that the thread does not have yet: waiting, or published a moment ago. */
  async showOwn() {
    const { receipts, service, signal } = this.#context;
    const asked = receipts.all().map(async (kept) => {
      if (this.#list.has(kept.id)) return receipts.forget(kept.id);
      try {
        const { comment } = await service.own(kept, { signal });
        if (comment.status !== "declined") return comment;
      } catch (problem) {
        if (problem.status !== 403 && problem.status !== 404) return null;
      }
      return receipts.forget(kept.id);
    });
    for (const comment of await Promise.all(asked)) {
      if (comment) this.#showMine(comment);
    }
  }

  /** Go where the page's address points, through as many pages as it takes. */
  async followAddress(behavior) {
    const id = addressedComment();
    if (!id) return;
    for (let pages = 0; pages < MAX_PAGES_FOR_ONE_LINK && this.#next && !this.#list.has(id); pages++) {
      if (!(await this.#loadMore())) return;
    }
    const article = this.#list.article(id);
    if (!article) return;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#point(article, { block: "start", behavior: calm ? "instant" : behavior });
  }

  #offerForm(rules) {
    const { service, drafts, reader } = this.#context;
    this.#form = new CommentForm({
      speech: this.#speech,
      rules,
      service,
      drafts,
      reader,
      onPosted: (answer) => this.#posted(answer),
      onCancel: () => this.#cancelReply(),
    });
    this.#home.append(this.#form.element);
    const begun = this.#list.comment(drafts.latest);
    if (begun) this.#moveForm(begun); // a reload in the middle of a reply
  }

  #head({ heading, count }) {
    this.#heading.textContent = heading || this.#speech.say("thread.label");
    this.#heading.classList.toggle("unseen", !heading); // the form's title needs one above it
    this.#context.tell("comments:count", { count });
  }

  #add(comments, next) {
    for (const comment of comments) this.#list.add(comment);
    this.#next = next;
    this.#more.hidden = !next;
  }

  /** The next page; answers its first comment, or nothing when it does not come. */
  async #loadMore() {
    const { service, signal, trouble } = this.#context;
    this.#more.setAttribute("aria-disabled", "true");
    this.#trouble.textContent = "";
    try {
      const page = await service.more(this.#next, { signal });
      this.#add(page.comments, page.next);
      return page.comments[0];
    } catch {
      this.#trouble.textContent = trouble;
    } finally {
      this.#more.removeAttribute("aria-disabled");
    }
  }

  async #showMore() {
    if (this.#more.hasAttribute("aria-disabled")) return;
    const first = await this.#loadMore();
    if (first) this.#list.article(first.id).focus();
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
    this.#moveForm(comment);
    this.#form.focus();
  }

  #cancelReply() {
    if (this.#form.busy) return;
    const answered = this.#list.article(this.#form.parent);
    this.#bringFormHome();
    answered.querySelector(".comment__actions button").focus();
  }

  #posted({ comment, receipt }) {
    this.#context.receipts.add(comment.id, receipt);
    this.#bringFormHome();
    this.#point(this.#showMine(comment), { block: "nearest", behavior: "instant" });
    const waiting = comment.status === "pending";
    this.#status.textContent = this.#speech.say(waiting ? waitingNote(comment) : "note.posted");
    this.#context.tell("comments:posted", { id: comment.id, status: comment.status });
    if (!waiting) this.#recount();
  }

  #showMine(comment) {
    return this.#list.add(comment, { waiting: comment.status === "pending", own: true });
  }

  async #recount() {
    const { service, signal } = this.#context;
    const page = await service.thread({ signal, cache: "no-cache" }).catch(() => null);
    if (page) this.#head(page.thread);
  }

  #point(article, scrolling) {
    this.#target?.classList.remove("comment--target");
    this.#target = article;
    article.classList.add("comment--target");
    article.focus({ preventScroll: true });
    article.scrollIntoView(scrolling);
  }
}
