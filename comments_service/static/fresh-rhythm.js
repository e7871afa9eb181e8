// When to look for news: only while the reader is there, less and less often while there are none.
import { host } from "./dom.js";

const FIRST_MS = 60_000;
const LONGEST_MS = 15 * FIRST_MS;

/** Look now and whenever it is time, until the signal ends it. `look` answers whether there was something. */
export async function repeat(look, element, signal) {
  let pause = FIRST_MS;
  while (!signal.aborted) {
    if (await presence(element, signal)) pause = FIRST_MS;
    const found = await look().catch(() => false); // it is tried again, later
    if (signal.aborted) return; // while it looked
    pause = found ? FIRST_MS : Math.min(2 * pause, LONGEST_MS);
    if (await returnWithin(pause, signal)) pause = FIRST_MS;
  }
}

/** The page is visible, the thread is near what the reader sees, and there is a network: answers whether that took a while. */
function presence(element, signal) {
  return new Promise((resolve) => {
    const over = new AbortController();
    const options = { signal: AbortSignal.any([signal, over.signal]) };
    let isNear = false;
    let wasAway = false;
    const look = () => {
      if (host("hidden") || !navigator.onLine || !isNear) return (wasAway = true);
      over.abort();
      return resolve(wasAway);
    };
    const observer = new IntersectionObserver(
      (entries) => {
        isNear = entries.at(-1).isIntersecting;
        look();
      },
      { rootMargin: "1000px" },
    );
    observer.observe(element);
    options.signal.addEventListener("abort", () => observer.disconnect());
    for (const name of ["visibilitychange", "online"]) addEventListener(name, look, options);
  });
}

/** Let time pass. Who comes back to the page after a while does not wait: answers whether that was so. */
function returnWithin(pause, signal) {
  return new Promise((resolve) => {
    const begun = Date.now();
    const over = new AbortController();
    const options = { signal: AbortSignal.any([signal, over.signal]) };
    const end = (isBack) => {
      over.abort();
      resolve(isBack);
    };
    const timer = setTimeout(() => end(false), pause);
    options.signal.addEventListener("abort", () => clearTimeout(timer));
    const look = () => {
      if (!host("hidden") && Date.now() - begun >= FIRST_MS) end(true);
    };
    addEventListener("visibilitychange", look, options);
  });
}
