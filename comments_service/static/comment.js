// One comment: who, when (the permalink), what; buttons to reply where replies are taken, and to copy the link.
import { make } from "./dom.js";
import { face } from "./face.js";
import { showHtml } from "./safe-html.js";

const UGC = "nofollow ugc noopener noreferrer external";
const COPIED_MS = 2_000;

/**
 * Its article, and the line of its buttons. `faces`: whether to draw one. `waiting`: only its author sees it. `answered`: the comment it answers,
 * where that is not plain from its place. `onReply` and `onReport` are absent where that cannot be done.
 */
export function commentArticle(comment, speech, { waiting = false, faces, answered, onReply, onReport, onGo, tell } = {}) {
  const article = make("article", { class: "comment", id: "comment-" + comment.id, tabindex: "-1" });
  const actions = make("p", { class: "comment__actions" });
  if (comment.removed) {
    article.append(make("p", { class: "comment__removed" }, speech.say("thread.removed")), actions);
    return { article, actions };
  }
  const body = make("div", { class: "comment__body", dir: "auto" });
  showHtml(body, comment.html);
  article.append(
    make(
      "header",
      { class: "comment__head" },
      faces && face(nameOf(comment, speech)),
      author(comment, speech),
      ...labels(comment, speech),
      date(comment, speech, onGo),
      comment.edited_at && edited(comment, speech),
      answered && answers(answered, speech, onGo),
    ),
    waiting ? make("p", { class: "comment__waiting" }, speech.say(waitingNote(comment))) : "",
    body,
    actions,
  );
  if (waiting) return { article, actions };
  if (onReply) actions.append(action("reply", comment, speech, () => onReply(comment)));
  if (onReport) actions.append(action("report", comment, speech, (button) => onReport(comment, button)));
  // Without a clipboard (plain http) the date is still the link
  if (navigator.clipboard) actions.append(action("copy_link", comment, speech, (button) => copy(comment, speech, button, tell)));
  return { article, actions };
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
  const shown = website ? make("a", { class: "comment__website", href: website, rel: UGC }, name) : name;
  return make("span", { class: "comment__author", dir: "auto" }, shown);
}

function labels({ author: { badge }, pinned, picked }, speech) {
  const said = [badge && "badge." + badge, pinned && "pinned", picked && "picked"].filter(Boolean);
  return said.map((key) => make("span", { class: "comment__label comment__label--" + key.split(".").pop() }, speech.say("thread." + key)));
}

function date(comment, speech, onGo) {
  const { created_at: at } = comment;
  const time = make("time", { datetime: at, title: speech.date(at) }, speech.when(at));
  return permalink(comment, { class: "comment__date" }, time, onGo);
}

function edited({ edited_at }, speech) {
  return make("span", { class: "comment__edited" }, speech.say("thread.edited_at", { moment: speech.date(edited_at) }));
}

function answers(answered, speech, onGo) {
  const key = answered.removed ? "thread.in_reply_to_removed" : "thread.in_reply_to";
  const words = speech.say(key, { name: nameOf(answered, speech) });
  return permalink(answered, { class: "comment__answers", dir: "auto" }, words, onGo);
}

function permalink(comment, attributes, content, onGo) {
  const link = make("a", { ...attributes, href: comment.permalink }, content);
  link.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault(); // the page's own address may carry a campaign: no need to load it anew
    const { hash } = new URL(link.href);
    if (location.hash === hash) onGo();
    else location.hash = hash;
  });
  return link;
}

function action(key, comment, speech, act) {
  const label = speech.say("thread." + key + "_to", { name: nameOf(comment, speech) });
  const button = make("button", { type: "button", class: "quiet", "aria-label": label }, speech.say("thread." + key));
  button.addEventListener("click", () => act(button));
  return button;
}

async function copy({ permalink }, speech, button, tell) {
  try {
    await navigator.clipboard.writeText(permalink);
  } catch {
    location.hash = new URL(permalink).hash; // refused: now the address bar has it
    return;
  }
  const copied = speech.say("thread.copied");
  button.textContent = copied;
  tell(copied);
  setTimeout(() => (button.textContent = speech.say("thread.copy_link")), COPIED_MS);
}
