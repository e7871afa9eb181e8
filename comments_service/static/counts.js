// Counts for links anywhere on the page: <a data-comments-count href="ARTICLE-URL">.
import { host } from "./dom.js";
import { explain } from "./explain.js";

const MAX_ADDRESSES = 100;
const MAX_CHARACTERS = 3_500; // servers cut a request line at about 4,000

export async function showCounts(service, lang) {
  const links = new Map();
  for (const link of host("querySelectorAll", "a[data-comments-count][href]")) {
    const address = link.href.split("#")[0];
    links.set(address, [...(links.get(address) ?? []), link]);
  }
  try {
    for (const part of portions([...links.keys()])) {
      const { counts } = await service.counts(part, lang);
      part.forEach((address, index) => {
        for (const link of links.get(address)) link.textContent = counts[index].label;
      });
    }
  } catch (problem) {
    await explain(problem, service); // the links keep the text the page gave them
  }
}

function* portions(addresses) {
  let part = [];
  let length = 0;
  for (const address of addresses) {
    const more = encodeURIComponent(address).length + "&url=".length;
    if (part.length && (part.length === MAX_ADDRESSES || length + more > MAX_CHARACTERS)) {
      yield part;
      part = [];
      length = 0;
    }
    part.push(address);
    length += more;
  }
  if (part.length) yield part;
}
