// The styles of what comes later than the thread, for the tree in which it stands.
import { sheetOf } from "./dom.js";

const dressed = new WeakSet();

/** Lend them to a tree of our own, once; in the page's own tree the page's styles hold. */
export function dress(root, styles) {
  if (!(root instanceof ShadowRoot) || dressed.has(root)) return;
  dressed.add(root);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheetOf(styles)];
}
