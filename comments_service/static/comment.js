// One comment: who, when (the permalink), what; a button to reply where replies are taken.
import { make } from "./dom.js";
import { showHtml } from "./safe-html.js";

const UGC = "nofollow ugc noopener noreferrer external";

/** `waiting`: only its author sees it. `onReply` is absent where no reply can be made. */
export function commentArticle(comment, speech, { waiting = false, onReply } = {}) {
  const article = make("article", { class: "comment", id: "comment-" + comment.id, tabindex: "-1" });
  if (comment.removed) {
    article.append(make("p", { class: "comment__removed" }, speech.say("thread.removed")));
    return article;
  }
  const body = make("div", { class: "comment__body", dir: "auto" });
  showHtml(body, comment.html);
  article.append(
    make("header", { class: "comment__head" }, author(comment, speech), ...labels(comment, speech), permalink(comment, speech)),
    waiting ? make("p", { class: "comment__waiting" }, speech.say(waitingNote(comment))) : "",
    body,
    onReply && !waiting ? replyButton(comment, speech, onReply) : "",
  );
  return article;
}

/** What its author is told of a comment that nobody else sees. */
export function waitingNote({ audience }) {
  return audience === "editors" ? "note.letter" : "note.waiting";
}

export function nameOf(comment, speech) {
  return comment.author?.name || speech.say("thread.anonymous");
}

function author(comment, speech) {
  const name = nameOf(comment, speech);
  const website = comment.author?.website;
  const shown = website ? make("a", { href: website, rel: UGC }, name) : name;
  return make("span", { class: "comment__author", dir: "auto" }, shown);
}

function labels({ author: { badge }, pinned, picked }, speech) {
  const said = [badge && "badge." + badge, pinned && "pinned", picked && "picked"].filter(Boolean);
  return said.map((key) => make("span", { class: "comment__label" }, speech.say("thread." + key)));
}

function permalink(comment, speech) {
  const time = make("time", { datetime: comment.created_at }, speech.date(comment.created_at));
  const link = make("a", { class: "comment__date", href: comment.permalink }, time);
  link.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault(); // the page's own address may carry a campaign: no need to load it anew
    location.hash = new URL(link.href).hash;
  });
  return link;
}

function replyButton(comment, speech, onReply) {
  const label = speech.say("thread.reply_to", { name: nameOf(comment, speech) });
  const button = make("button", { type: "button", class: "quiet", "aria-label": label }, speech.say("thread.reply"));
  button.addEventListener("click", () => onReply(comment));
  return make("p", { class: "comment__actions" }, button);
}
