// What the buttons of a text do to it: marks around what is selected, or in front of its lines. Twice takes them away.

export const TOOLS = [
  { name: "bold", key: "b", around: "**" },
  { name: "italic", key: "i", around: "*" },
  { name: "quote", key: ".", shift: true, before: "> " },
  { name: "code", key: "e", around: "`" },
  { name: "link", key: "k" },
  { name: "list", key: "8", shift: true, before: "- " },
];
const FENCE = "```";
const ADDRESS = "https://";

/** The text with a tool's marks, as {from, to, put, select: [from, to]}: what of it is replaced by what. */
export function marked({ value, selectionStart: from, selectionEnd: to }, tool) {
  if (tool.before) return inFront(value, from, to, tool.before);
  if (tool.name === "link") return link(value.slice(from, to), from, to);
  if (tool.name === "code" && value.slice(from, to).includes("\n")) return fenced(value, from, to);
  return around(value, from, to, tool.around);
}

function around(value, from, to, mark) {
  const size = mark.length;
  const words = value.slice(from, to);
  const isInside = value.slice(from - size, from) === mark && value.slice(to, to + size) === mark;
  if (isInside) return { from: from - size, to: to + size, put: words, select: [from - size, to - size] };
  const lead = words.length - words.trimStart().length; // blanks stay outside: marks beside them mean nothing
  const bare = words.trim();
  const begin = from + lead;
  return { from: begin, to: begin + bare.length, put: mark + bare + mark, select: [begin + size, begin + size + bare.length] };
}

function inFront(value, from, to, mark) {
  const begin = value.lastIndexOf("\n", from - 1) + 1;
  const end = to > from && value[to - 1] === "\n" ? to - 1 : (value.indexOf("\n", to) + value.length + 1) % (value.length + 1);
  const lines = value.slice(begin, end).split("\n");
  const isMarked = lines.every((line) => line.startsWith(mark));
  const put = lines.map((line) => (isMarked ? line.slice(mark.length) : mark + line)).join("\n");
  const select = from === to ? [begin + put.length, begin + put.length] : [begin, begin + put.length];
  return { from: begin, to: end, put, select };
}

function fenced(value, from, to) {
  const lead = from && value[from - 1] !== "\n" ? "\n" : "";
  const words = value.slice(from, to).replace(/\n$/, "");
  const put = lead + FENCE + "\n" + words + "\n" + FENCE + "\n";
  const begin = from + lead.length + FENCE.length + 1;
  return { from, to, put, select: [begin, begin + words.length] };
}

function link(words, from, to) {
  if (/^https?:\/\/\S+$/.test(words)) return { from, to, put: "[](" + words + ")", select: [from + 1, from + 1] };
  const begin = from + words.length + 3;
  return { from, to, put: "[" + words + "](" + ADDRESS + ")", select: words ? [begin, begin + ADDRESS.length] : [from + 1, from + 1] };
}
