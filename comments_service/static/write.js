// What helps with writing. It comes when the reader turns to a form, which works without it as well.
import { make } from "./dom.js";
import { dress } from "./dress.js";
import { WRITE_STYLES } from "./generated.js";
import { preview } from "./write-preview.js";
import { toolbar } from "./write-toolbar.js";

const FEW = 0.1; // of what may be written
const equipped = new WeakSet();

/**
 * `text` is a textarea in its field: buttons, counter and preview come below it.
 * `given`: {speech, service, limit in bytes, showHtml: the page's one door for HTML}.
 */
export function equip(text, given) {
  if (equipped.has(text)) return;
  equipped.add(text);
  dress(text.getRootNode(), WRITE_STYLES);
  const { switcher, panel } = preview(text, given);
  const bar = toolbar(text, given.speech, switcher);
  const place = text.nextElementSibling; // kept free below the text, so that nothing moves now
  if (place?.matches(".tools")) place.replaceWith(bar);
  else text.after(bar);
  bar.after(counter(text, given), panel);
}

function counter(text, { speech, limit }) {
  const shown = make("p", { class: "counter", hidden: true });
  const count = () => {
    const left = limit - new TextEncoder().encode(text.value.trim()).length;
    shown.hidden = left > limit * FEW;
    shown.textContent = speech.say(left < 0 ? "form.over" : "form.left", { count: Math.abs(left) });
    shown.classList.toggle("counter--over", left < 0);
  };
  text.addEventListener("input", count);
  count();
  return shown;
}
