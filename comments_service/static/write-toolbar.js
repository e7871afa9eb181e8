// The buttons below a text: one stop for Tab, arrows from one to the next, and a key for each while one types.
import { draw, host, make } from "./dom.js";
import { marked, TOOLS } from "./write-marks.js";

const isApple = /Mac|iP/.test(navigator.platform);

export function toolbar(text, speech, ...more) {
  const buttons = TOOLS.map((tool) => button(tool, speech, () => use(text, tool)));
  const all = [...buttons, ...more];
  const bar = make("div", { class: "tools", role: "toolbar", "aria-label": speech.say("form.tools") }, ...all);
  const stay = (chosen) => all.forEach((each) => (each.tabIndex = each === chosen ? 0 : -1));
  stay(all[0]);
  bar.addEventListener("focusin", ({ target }) => stay(target));
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key] * (bar.matches(":dir(rtl)") ? -1 : 1);
    const place = { Home: 0, End: -1 }[event.key] ?? (all.indexOf(event.target) + step) % all.length;
    if (Number.isNaN(place)) return;
    event.preventDefault();
    all.at(place).focus();
  });
  text.addEventListener("keydown", (event) => {
    if (!(isApple ? event.metaKey : event.ctrlKey) || event.altKey) return;
    const tool = TOOLS.find(({ key, shift = false }) => shift === event.shiftKey && isKey(event, key));
    if (!tool) return;
    event.preventDefault();
    use(text, tool);
  });
  return bar;
}

/** With Shift a digit and a dot are other signs, and not the same ones on every keyboard. */
function isKey({ key, code }, wanted) {
  return key.toLowerCase() === wanted || code === { ".": "Period", 8: "Digit8" }[wanted];
}

const SIGNS = {
  bold: "M6 4h5a3 3 0 0 1 0 6H6zM6 10h6a3 3 0 0 1 0 6H6z",
  italic: "M9 4h6M5 16h6M12 4 8 16",
  quote: "M4 4v12M8 6h8M8 10h8M8 14h5",
  code: "m7 5-5 5 5 5M13 5l5 5-5 5",
  link: "M8.5 11.5a3 3 0 0 0 4.2 0l3-3a3 3 0 0 0-4.2-4.2l-1 1M11.5 8.5a3 3 0 0 0-4.2 0l-3 3a3 3 0 0 0 4.2 4.2l1-1",
  list: "M8 5h9M8 10h9M8 15h9M3.5 5h.01M3.5 10h.01M3.5 15h.01",
};
function sign(name) {
  return draw("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, draw("path", { d: SIGNS[name] }));
}

function button({ name, key, shift }, speech, onClick) {
  const keys = (isApple ? "⌘" : "Ctrl+") + (shift ? (isApple ? "⇧" : "Shift+") : "") + key.toUpperCase();
  const words = speech.say("form.tool." + name);
  const made = make(
    "button",
    { type: "button", class: "tool", title: words + " (" + keys + ")", "aria-label": words },
    sign(name),
  );
  made.addEventListener("click", onClick);
  return made;
}

/** By the browser's own command where it goes: then its Undo takes it back like everything that was typed. */
function use(text, tool) {
  if (text.readOnly) return;
  const { from, to, put, select } = marked(text, tool);
  text.focus();
  text.setSelectionRange(from, to);
  if (!host("execCommand", put ? "insertText" : "delete", false, put)) {
    text.setRangeText(put, from, to);
    text.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  text.setSelectionRange(...select);
}
