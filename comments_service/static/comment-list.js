// Comments in their order and nesting. The reader's own waiting ones stand apart, at the end, until they are public.
import { commentArticle } from "./comment.js";
import { make } from "./dom.js";

export class CommentList {
  #places = new Map();
  #speech;
  #maxDepth;
  #onReply;

  constructor(speech, { maxDepth, onReply }) {
    this.#speech = speech;
    this.#maxDepth = maxDepth;
    this.#onReply = onReply;
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

  /** Show a comment, once. A public one takes the place of the same one waiting. Answers its article. */
  add(comment, { waiting = false, own = waiting } = {}) {
    const known = this.#places.get(comment.id);
    if (known && (own || !known.own)) return known.article;
    known?.item.remove();
    const parent = this.#places.get(comment.parent);
    const depth = parent ? Math.min(parent.depth + 1, this.#maxDepth) : 1;
    const onReply = depth < this.#maxDepth ? this.#onReply : null;
    const article = commentArticle(comment, this.#speech, { waiting, onReply });
    const item = make("li", {}, article);
    const home = this.#homeUnder(parent, own);
    home.append(item);
    this.#places.set(comment.id, { comment, article, item, home, depth, own });
    return article;
  }

  #homeUnder(parent, own) {
    if (!parent) return own ? this.own : this.element;
    if (parent.depth >= this.#maxDepth) return parent.home; // deeper ones stand flat, on the last level
    if (!parent.replies) parent.item.append((parent.replies = newList("comments__list comments__replies")));
    return parent.replies;
  }
}

function newList(name) {
  return make("ol", { class: name, role: "list" }); // Safari drops the role of a list without bullets
}
