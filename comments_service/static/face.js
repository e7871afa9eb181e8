// The picture beside a name: its first letters on a colour, out of the displayed name alone. `faces.py` draws the same.
import { draw } from "./dom.js";

export function face(name) {
  const words = name.split(/\s+/).map((word) => word.match(/[\p{L}\p{N}]/u)?.[0]).filter(Boolean);
  const letters = words.length ? words[0] + (words[1] ? words.at(-1) : "") : [...name.trim()][0];
  let hue = 0;
  for (const character of name) hue = (hue * 31 + character.codePointAt()) % 360;
  const ground = draw("circle", { cx: 20, cy: 20, r: 20, fill: `hsl(${hue} 42% 30%)` });
  const text = draw("text", { x: 20, y: 20, dy: ".36em", "text-anchor": "middle", fill: "#fff" });
  text.textContent = letters.toUpperCase();
  return draw("svg", { viewBox: "0 0 40 40", class: "face", "aria-hidden": "true" }, ground, text);
}
