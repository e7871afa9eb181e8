// The styles of what comes later than the thread, for the tree in which it stands.

const dressed = new WeakSet();

/** Lend them to a tree of our own, once; in the page's own tree the page's styles hold. */
export function dress(root, styles) {
  if (!(root instanceof ShadowRoot) || dressed.has(root)) return;
  dressed.add(root);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
}
