// The pages of a thread on the screen: the list, the ways to more of it, and the reader's choice of an order.
import { CommentList } from "./comment-list.js";
import { host, make } from "./dom.js";

export class ThreadPages {
  turn = 0; // another number, and the reader wants to see other comments
  #speech;
  #context;
  #previous;
  #next;
  #sort;
  #before = make("button", { type: "button", class: "button button--calm comments__previous", hidden: true });
  #after = make("button", { type: "button", class: "button button--calm comments__more", hidden: true });
  #trouble = make("p", { class: "comments__trouble", role: "status" });
  #newAtTop = make("div", { class: "comments__fresh comments__fresh--top" });
  #newAtEnd = make("div", { class: "comments__fresh" });

  /** `context`: {service, signal, order, trouble: the words for it, onReply?, onReport?, onReplace(show), onGo(), onShown(comment, article), tell(words)}. */
  constructor(speech, { max_depth, sorts, avatars: faces }, context) {
    this.#speech = speech;
    this.#context = context;
    const { onReply, onReport, onGo, onShown, tell } = context;
    this.list = new CommentList(speech, max_depth, { faces, onReply, onReport, onGo, onShown, tell, onMore: (comment) => this.#showReplies(comment) });
    this.order = this.#select(sorts);
    this.#before.textContent = speech.say("thread.previous");
    this.#after.textContent = speech.say("thread.more");
    this.#before.addEventListener("click", () => this.#turnTo(this.#previous, true));
    this.#after.addEventListener("click", () => this.#turnTo(this.#next, false));
  }

  get elements() {
    const { element, own } = this.list;
    return [this.#before, this.#newAtTop, element, this.#after, this.#trouble, this.#newAtEnd, own];
  }

  /** Where new comments would come. */
  get news() {
    return this.#newAtTop.hidden ? this.#newAtEnd : this.#newAtTop;
  }

  /** What to ask for where the part on the screen begins, and whether the thread goes on behind it. */
  get stretch() {
    return { begin: this.#previous ? { comment: this.list.tops[0]?.id } : {}, goesOn: Boolean(this.#next) };
  }

  /** Put what follows each other in the thread among what is shown. `next`: what is left behind it, if this is its end. */
  merge(comments, next) {
    this.#context.onReplace(() => {
      let before = null;
      for (const comment of comments) {
        const following = before ? before.nextElementSibling : this.list.element.firstElementChild;
        const article = this.list.add(comment, { next: following });
        if (!comment.root) before = article.parentElement;
      }
    });
    this.#bounds(next === undefined ? {} : { next });
  }

  /** Show one page and nothing else. */
  show({ thread, comments, previous, next }) {
    this.list.clear();
    this.list.addPage(comments);
    this.#bounds({ previous, next });
    this.#sort = this.order.value = thread.sort;
    this.#newAtTop.hidden = this.#sort !== "newest" || !comments.length; // else its room is kept, or all would move
    this.#newAtTop.replaceChildren();
    this.#newAtEnd.replaceChildren();
  }

  /** Show the page of a comment, instead of what is shown; answers whether it is there, or nothing. */
  async open(id) {
    const page = await this.#ask({ comment: id }, ++this.turn);
    const isThere = page?.comments.some((comment) => comment.id === id);
    if (isThere) this.#replace(page);
    return isThere;
  }

  /** A public comment that has just been written, where it belongs if that place is on the screen. */
  addNew(comment) {
    const isNewest = this.#sort === "newest";
    const apart = comment.root || (isNewest ? this.#previous : this.#next);
    this.list.add(comment, { own: true, apart, next: isNewest ? this.list.firstUnpinned : null });
    this.#bounds({});
  }

  /** Say that the comment of a link is not there, unless it may be in another thread of the page. */
  miss() {
    if (host("querySelectorAll", "comment-thread").length > 1) return;
    this.#trouble.textContent = this.#speech.say("thread.gone");
  }

  /** Say that what was pressed did not come, or no longer. */
  tellTrouble(isThere) {
    this.#trouble.textContent = isThere ? this.#context.trouble : "";
  }

  #select(sorts) {
    const options = sorts.map((sort) => make("option", { value: sort }, this.#speech.say("thread.sort." + sort)));
    const select = make("select", { class: "comments__order", "aria-label": this.#speech.say("thread.sort") }, ...options);
    select.addEventListener("change", () => this.#choose(select.value));
    return select;
  }

  async #choose(sort) {
    const { service, order } = this.#context;
    const before = service.sort;
    service.sort = sort;
    const page = await this.#ask({}, ++this.turn);
    if (page) {
      order.keep(sort);
      this.#replace(page);
    } else if (service.sort === sort) {
      service.sort = before;
      this.order.value = this.#sort;
    }
  }

  #replace(page) {
    this.#context.onReplace(() => this.show(page));
  }

  #bounds({ previous = this.#previous, next = this.#next }) {
    this.#previous = previous;
    this.#next = next;
    this.#before.hidden = !previous;
    this.#after.hidden = !next;
    this.order.hidden = !previous && !next && this.list.element.children.length < 2; // it would change nothing
  }

  async #turnTo(cursor, before) {
    const page = await this.#ask({ cursor });
    if (!page) return;
    const [first] = page.comments.filter(({ id }) => !this.list.has(id));
    this.list.addPage(page.comments, { before });
    this.#bounds(before ? { previous: page.previous } : { next: page.next });
    this.#visit(first);
  }

  async #showReplies({ left }) {
    const page = await this.#ask({ cursor: left.cursor });
    if (!page) return;
    const [first] = page.comments.filter(({ id, removed }) => !removed && !this.list.has(id));
    this.list.addPage(page.comments);
    this.#visit(first);
  }

  #visit(comment) {
    if (comment) this.list.article(comment.id).focus();
  }

  /** What the service answers; nothing where it does not, or where the reader has asked for other comments since. */
  async #ask(part, turn = this.turn) {
    const { service, signal } = this.#context;
    this.tellTrouble(false);
    this.list.element.ariaBusy = true;
    try {
      const page = await service.thread(part, { signal });
      if (turn === this.turn) return page;
    } catch {
      if (turn === this.turn) this.tellTrouble(true);
    } finally {
      if (turn === this.turn) this.list.element.ariaBusy = null;
    }
    return null;
  }
}
