// Comments in their order and nesting, each once. The reader's own waiting ones stand apart, at the end, until they are public.
import { commentArticle } from "./comment.js";
import { make } from "./dom.js";

export class CommentList {
  #places = new Map();
  #byItem = new WeakMap();
  #speech;
  #maxDepth;
  #handlers;

  /** `handlers`: {onReply(comment)?, onReport(comment, button)?, onMore(comment), onShown(comment, article), onGo(), tell(words)}. */
  constructor(speech, maxDepth, handlers) {
    this.#speech = speech;
    this.#maxDepth = maxDepth;
    this.#handlers = handlers;
    this.element = newList("comments__list");
    this.own = newList("comments__list comments__own");
  }

  has(id) {
    return this.#places.has(id);
  }

  comment(id) {
    return this.#places.get(id)?.comment;
  }

  article(id) {
    return this.#places.get(id)?.article;
  }

  clear() {
    this.#places.clear();
    this.element.replaceChildren();
    this.own.replaceChildren();
  }

  /** Show the comments of a page, in its order: after those there are, or before them. */
  addPage(comments, { before = false } = {}) {
    const next = before ? this.element.firstElementChild : null;
    for (const comment of comments) this.add(comment, { next });
    for (const place of [...this.#places.values()]) this.#settle(place);
  }

  /**
   * Show a comment, once. A public one takes the place of the same one waiting. Answers its article.
   * `apart`: at the end of all, as nobody knows yet where it belongs. Else a top-level one stands before `next`.
   */
  add(comment, { waiting = false, own = waiting, apart = waiting, next = null } = {}) {
    const known = this.#places.get(comment.id);
    const isLetThrough = known?.waiting && !waiting;
    if (known && !isLetThrough && (own || !known.own)) {
      if (!own) this.#update(known, comment);
      return known.article;
    }
    const parent = this.#places.get(comment.parent);
    const above = parent ?? this.#places.get(comment.root);
    const isLast = above?.level >= Math.max(2, this.#maxDepth); // deeper ones stand flat, on the last level
    const owner = isLast ? above.owner : above;
    const level = owner ? owner.level + 1 : 1;
    const depth = Math.min(level, this.#maxDepth);
    const answered = parent?.depth >= depth && parent.comment;
    const { article, actions } = commentArticle(comment, this.#speech, { waiting, answered, ...this.#handlers });
    const item = make("li", { class: "comments__item" }, article);
    const place = { comment, article, actions, item, owner, level, depth, own, waiting, seen: 0, mine: 0 };
    if (next === known?.item) next = next?.nextElementSibling; // which goes away now
    if (known) this.#inherit(place, known);
    this.#places.set(comment.id, place);
    this.#byItem.set(item, comment);
    if (owner) insertByTime(this.#repliesOf(owner), item, comment, this.#byItem);
    else if (apart) this.own.append(item);
    else this.element.insertBefore(item, next ?? null);
    this.#count(place, 1);
    this.#label(place);
    this.#handlers.onShown(comment, article);
    return article;
  }

  #update(place, { replies, left }) {
    Object.assign(place.comment, { replies, left });
    this.#label(place);
  }

  /** Unfold whatever hides a comment. */
  reveal(id) {
    for (let { owner } = this.#places.get(id); owner; owner = owner.owner) this.#fold(owner, false);
  }

  /** The first of those that are neither pinned nor picked: where what is newest belongs. */
  get firstUnpinned() {
    return [...this.element.children].find((item) => !isMarked(this.#byItem.get(item))) ?? null;
  }

  /** The top-level comments on the screen, in their order. */
  get tops() {
    return [...this.element.children].map((item) => this.#byItem.get(item));
  }

  #repliesOf(owner) {
    if (!owner.replies) {
      const flat = this.#maxDepth === 1 ? " comments__replies--flat" : "";
      owner.replies = newList("comments__list comments__replies" + flat);
      owner.left = make("button", { type: "button", class: "quiet comments__left" });
      owner.left.addEventListener("click", () => this.#handlers.onMore(owner.comment));
      owner.item.append(owner.replies, owner.left);
      owner.toggle = make("button", { type: "button", class: "quiet comment__fold", "aria-expanded": "true" });
      owner.toggle.addEventListener("click", () => this.#fold(owner, !owner.replies.hidden));
      owner.actions.append(owner.toggle);
    }
    return owner.replies;
  }

  #fold(owner, folded) {
    owner.replies.hidden = folded;
    owner.toggle.ariaExpanded = !folded;
    this.#label(owner);
  }

  /** An own reply stood apart while what it answers was on no page: now it is. */
  #settle({ comment, item, owner, own, waiting }) {
    if (!own || owner || !this.has(comment.parent)) return;
    item.remove();
    this.#places.delete(comment.id);
    this.add(comment, { own, waiting });
  }

  #inherit(place, known) {
    this.#count(known, -1);
    known.item.remove();
    if (!known.replies) return;
    Object.assign(place, { replies: known.replies, left: known.left, toggle: known.toggle, seen: known.seen, mine: known.mine });
    place.item.append(known.replies, known.left);
    place.actions.append(known.toggle);
  }

  #count({ owner, own, comment }, change) {
    if (comment.removed) return;
    for (let above = owner; above; above = above.owner) {
      above[own ? "mine" : "seen"] += change;
      this.#label(above);
    }
  }

  /** Say how many replies there are below, and how many of them are not here yet. */
  #label({ comment, replies, toggle, left, seen, mine }) {
    if (!replies) return;
    const all = Math.max(comment.replies ?? 0, seen);
    toggle.textContent = this.#speech.say("thread.replies", { count: all + mine });
    left.textContent = this.#speech.say("thread.more_replies", { count: all - seen });
    left.hidden = replies.hidden || !comment.left || all <= seen;
  }
}

function insertByTime(list, item, comment, byItem) {
  let next = null;
  for (let other = list.lastElementChild; other && isBefore(comment, byItem.get(other)); other = other.previousElementSibling) next = other;
  list.insertBefore(item, next);
}

function isMarked({ pinned, picked }) {
  return pinned || picked;
}

function isBefore(one, other) {
  if (one.created_at === other.created_at) return Number(one.id) < Number(other.id);
  return one.created_at < other.created_at;
}

function newList(name) {
  return make("ol", { class: name, role: "list" }); // Safari drops the role of a list without bullets
}
