// What the host's page says of itself: which article it shows, and when the reader comes near.
import { host } from "./dom.js";

const MAX_TITLE_CHARACTERS = 300;

export function pageAddress() {
  return location.href.split("#")[0];
}

/** The attributes first, then the page's own word for it. The service knows which addresses are the site's. */
export function articleOf(element) {
  const canonical = host("querySelector", 'link[rel~="canonical"]')?.href;
  const title =
    element.getAttribute("article-title") ??
    host("querySelector", 'meta[property="og:title"]')?.content ??
    host("title");
  return {
    url: element.getAttribute("article-url") ?? (canonical || pageAddress()),
    id: element.getAttribute("article-id"),
    title: [...title.replace(/\s+/g, " ").trim()].slice(0, MAX_TITLE_CHARACTERS).join("") || null,
  };
}

/** The name that the page signed for its reader: unchecked, to be shown. The service alone holds it against the signature. */
export function signedName(user) {
  try {
    const payload = atob(user.split(".")[0].replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(payload, (char) => char.charCodeAt()))).name;
  } catch {
    return null; // the service refuses it, with a sentence
  }
}

/** The comment the address points at, by its id. */
export function addressedComment() {
  return /^#comment-([\w-]+)$/.exec(location.hash)?.[1];
}

/** What the reader has selected of an element; empty when the selection is elsewhere, or reaches further. */
export function selectedIn(element) {
  const selection = element.getRootNode().getSelection?.() ?? getSelection();
  const isWithin = [selection.anchorNode, selection.focusNode].every((node) => node && element.contains(node));
  return isWithin ? String(selection).trim() : "";
}

/** Nobody who never scrolls down costs the service a request; a link to a comment loads at once, also later. */
export function nearViewport(element, signal) {
  if (addressedComment()) return Promise.resolve();
  return new Promise((resolve) => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        observer.disconnect();
        resolve();
      },
      { rootMargin: "1000px" },
    );
    observer.observe(element);
    addEventListener("hashchange", () => addressedComment() && resolve(), { signal });
    signal.addEventListener("abort", () => observer.disconnect());
  });
}
