// What the owner's page has of a thread in its own HTML. It is shown until the thread is there; else it stays.
import { host } from "./dom.js";
import { keepPlace } from "./steady.js";

/** The fragment of an article, by the name that the service has for it; while that is not known, the site's only one. */
export function fragmentOf(site, article) {
  const all = [...host("querySelectorAll", "[data-comments-fragment]")].filter(
    (each) => each.dataset.commentsFragment === site && !each.closest("comment-thread"),
  );
  return article ? all.find((each) => each.dataset.article === article) : all.length === 1 ? all[0] : null;
}

/**
 * Show the thread in the place of a fragment, in one step. What is read stays where it is on the screen, what has the
 * focus keeps it, and nothing below moves up. The fragment goes where no slot shows it, and machines find it still;
 * where the thread itself stands in the page's own tree, it goes for good.
 */
export function takePlace(fragment, element, frame, signal, show) {
  const height = () => host("body").getBoundingClientRect().height; // with margins, wherever they collapse
  const before = height();
  const read = fragment.getBoundingClientRect().top < 0 && [...fragment.querySelectorAll(".comment")].find(isBelowTop);
  const focused = fragment.querySelector(".comment:focus-within");
  let shown = fragment;
  const change = () => {
    if (frame.parentNode === element) fragment.remove();
    else element.append(fragment);
    show();
    shown = frame;
  };
  const find = (tree, { id }) => tree.querySelector(`[id="${id}"]`); // an owner's filter may have taken ids away
  keepPlace(() => read && find(shown, read), change);
  if (focused) find(frame, focused)?.focus({ preventScroll: true });
  const less = before - height();
  if (!(less > 0 && frame.getBoundingClientRect().bottom < innerHeight)) return;
  frame.style.minBlockSize = frame.getBoundingClientRect().height + less + "px";
  const release = () => (frame.style.minBlockSize = "");
  addEventListener("resize", release, { once: true, signal });
  signal.addEventListener("abort", release);
}

function isBelowTop(element) {
  return element.getBoundingClientRect().bottom > 0;
}
