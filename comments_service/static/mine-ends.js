// What ends for an author: the time for changes, and the stay of a comment that was declined.
import { make } from "./dom.js";

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Take buttons away when their time is over. What is being typed stays: it is told so when it is sent. */
export function removeAt(moment, buttons, article, signal) {
  const left = moment - Date.now();
  if (left > LONGEST_TIMER_MS) return;
  const timer = setTimeout(() => {
    for (const button of buttons()) {
      if (button.matches(":focus")) article.focus({ preventScroll: true });
      button.remove();
    }
  }, left);
  signal.addEventListener("abort", () => clearTimeout(timer));
}

/** Say that it was declined, with the words of the moderator if there are any, until its author puts it away. */
export function tellDeclined(article, { note }, say, onAway) {
  const told = article.querySelector(".comment__waiting");
  const words = note ? make("q", { class: "comment__reason", dir: "auto" }, note) : "";
  told.replaceChildren(say("note.declined"), " ", words);
  const actions = article.querySelector(".comment__actions");
  if (actions.querySelector(".comment__dismiss")) return;
  const button = make("button", { type: "button", class: "quiet comment__dismiss" }, say("thread.dismiss"));
  button.addEventListener("click", () => {
    putAway(article);
    onAway();
  });
  actions.append(button);
}

/** The keyboard's place is the comment before it, else the one behind it, else the form. */
function putAway(article) {
  const all = [...article.closest(".comments").querySelectorAll("article, textarea")];
  const place = all.indexOf(article);
  article.parentElement.remove();
  (all[place - 1] ?? all[place + 1])?.focus({ preventScroll: true });
}
