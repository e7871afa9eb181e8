// What is read stays where it is on the screen, whatever comes or goes above it.

/** Do what changes heights, and let what `find` gives, before and after, stand still on the screen. */
export function keepPlace(find, change) {
  const before = find()?.getBoundingClientRect?.().top;
  change();
  const moved = find()?.getBoundingClientRect?.().top - before;
  if (moved) scrollBy({ top: moved, behavior: "instant" });
}
