// The whole of embed.js: the owner's one line. Puts the thread where the tag stands, and counts where links ask for them.
import { Service } from "./api.js";
import { CommentThread } from "./comment-thread.js";
import { showCounts } from "./counts.js";
import { host, make } from "./dom.js";
import { fragmentOf } from "./fragment.js";
import { ownTag, serviceBase, whenParsed } from "./own-tag.js";

const IDENTITY = ["service", "site", "article-id", "article-url"];

if (!customElements.get("comment-thread")) customElements.define("comment-thread", CommentThread);
if (ownTag?.dataset.site) { // else the page has elements of its own
  const { site, lang, target } = ownTag.dataset;
  if (target || !ownTag.isConnected || ownTag.closest("head")) whenParsed(() => placeThread(target));
  else placeThread();
  whenParsed(() => showCounts(new Service(serviceBase, site, {}), lang));
}

function placeThread(target) {
  const { site, articleId, articleUrl, articleTitle, lang, theme, style, sort, user } = ownTag.dataset;
  const thread = make("comment-thread", {
    service: serviceBase,
    site,
    "article-id": articleId,
    "article-url": articleUrl,
    "article-title": articleTitle,
    lang,
    theme,
    look: style,
    sort,
    user,
  });
  if ([...host("querySelectorAll", "comment-thread")].some((other) => isSame(other, thread))) return;
  const place = target && host("querySelector", target);
  const fragment = fragmentOf(site, articleId);
  if (place) place.append(thread);
  else if (fragment) fragment.after(thread);
  else if (ownTag.isConnected && !ownTag.closest("head")) ownTag.after(thread);
  else host("body").append(thread);
  if (target && !place) console.warn("comments: no element matches data-target " + target);
}

function isSame(one, other) {
  return IDENTITY.every((name) => one.getAttribute(name) === other.getAttribute(name));
}
