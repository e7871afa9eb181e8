// A thread in the page's own tree (`data-style="none"`): what WordPress' themes call its parts, for their styles to find.
import { make, sheetOf } from "./dom.js";
import { CLASSIC_STYLES } from "./generated.js";

const NAMES = {
  ".comments__heading": "comments-title",
  ".comments__list:not(.comments__replies)": "comment-list",
  ".comments__replies": "children",
  ".comments__respond": "comment-respond",
  ".comments__closed": "no-comments",
  ".comment__author": "fn",
  ".comment__website": "url",
  ".comment__body": "comment-content",
  ".comment__actions": "reply",
  ".comment__waiting": "comment-awaiting-moderation",
  ".comment__edited": "edit-link",
  ".face": "avatar",
  ".unseen": "screen-reader-text",
  ".form": "comment-form",
  ".form__title": "comment-reply-title",
  ".form__note": "comment-notes",
  ".form__consent": "comment-form-cookies-consent",
  ".field--text": "comment-form-comment",
  ".field--name": "comment-form-author",
  ".field--email": "comment-form-email",
  ".field--website": "comment-form-url",
  ".field__star": "required",
  ".button": "submit",
};

let isLent = false;

/** Name the parts of a thread that are there, and those that come. */
export function dress(frame) {
  frame.classList.add("comments-area");
  lend();
  const name = () => {
    for (const [selector, names] of Object.entries(NAMES)) {
      for (const element of frame.querySelectorAll(selector)) element.classList.add(names);
    }
    for (const item of frame.querySelectorAll(".comments__item")) nameItem(item);
  };
  name();
  new MutationObserver(name).observe(frame, { childList: true, subtree: true }); // before anything is painted
}

/** `li.comment.depth-2 > article.comment-body > header.comment-meta > .comment-author + .comment-metadata` */
function nameItem(item) {
  const article = item.querySelector("article");
  const place = [...item.parentElement.children].indexOf(item);
  const isByHouse = article.querySelector(".comment__label--author");
  let depth = 0;
  for (let above = item; above; above = above.parentElement.closest(".comments__item")) depth += 1;
  const said = ["depth-" + depth, place % 2 ? "odd" : "even", depth === 1 && (place % 2 ? "thread-odd" : "thread-even")];
  item.className = ["comments__item comment", ...said, item.querySelector(".children") && "parent", isByHouse && "bypostauthor"].filter(Boolean).join(" ");
  article.classList.remove("comment");
  article.classList.add("comment-body");
  const head = article.querySelector(".comment__head:not(.comment-meta)");
  if (!head) return;
  head.classList.add("comment-meta");
  const about = make("div", { class: "comment-metadata" });
  const who = make("div", { class: "comment-author vcard" }, ...head.querySelectorAll(".face, .comment__author, .comment__label"));
  about.append(...head.childNodes);
  head.append(who, about);
}

/** The little without which it could not be used; in a layer, so that whatever the page says goes before. */
function lend() {
  if (!isLent) document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheetOf(CLASSIC_STYLES)];
  isLent = true;
}
