// Building elements: text is always text, and no style attribute is ever written. Classes are parts as well (`::part`).

let last = 0;

/** An id that nobody else has: a thread may stand in the page's own tree, beside another one. */
export function freshId(name) {
  return "comments-" + name + "-" + ++last;
}

export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") element.setAttribute("part", value);
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children.filter(Boolean));
  return element;
}
