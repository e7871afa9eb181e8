// Which script tag brought us here, and so where the service lives: under a path as well as at the root.

// A host page may hold an element named "currentScript", which the browser then shows in its place.
const current = document.currentScript;

export const ownTag =
  current instanceof HTMLScriptElement ? current : document.querySelector("script[data-site][src]");

export const serviceBase = ownTag ? new URL(".", ownTag.src).href : "";

export function whenParsed(action) {
  if (document.readyState !== "loading") action();
  else document.addEventListener("DOMContentLoaded", action, { once: true });
}
