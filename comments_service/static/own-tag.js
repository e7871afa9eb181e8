// Which script tag brought us here, and so where the service lives: under a path as well as at the root.
import { host } from "./dom.js";

export const ownTag = host("currentScript") ?? host("querySelector", "script[data-site][src]");

export const serviceBase = ownTag ? new URL(".", ownTag.src).href : "";

export function whenParsed(action) {
  if (host("readyState") !== "loading") action();
  else addEventListener("DOMContentLoaded", action, { once: true });
}
