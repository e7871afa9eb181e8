// Building elements: text is always text, and no style attribute is ever written. Classes are parts as well (`::part`).

const SVG = "http://www.w3.org/2000/svg";

let last = 0;

/** What the document has under a name, though an element of the host page may have the same (`<img name="title">`). */
export function host(name, ...given) {
  const found = Reflect.get(Document.prototype, name, document);
  return typeof found === "function" ? found.apply(document, given) : found;
}

/** An id that nobody else has: a thread may stand in the page's own tree, beside another one. */
export function freshId(name) {
  return "comments-" + name + "-" + ++last;
}

export function make(name, attributes, ...children) {
  return fill(host("createElement", name), attributes, children);
}

/** The same for pictures. */
export function draw(kind, attributes, ...children) {
  return fill(host("createElementNS", SVG, kind), attributes, children);
}

export function sheetOf(styles) {
  const made = new CSSStyleSheet();
  made.replaceSync(styles);
  return made;
}

function fill(element, attributes = {}, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") element.setAttribute("part", value);
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter(Boolean));
  return element;
}
