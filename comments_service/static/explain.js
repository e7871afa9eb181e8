// Asks for `why.js` when there is something to explain to the owner: readers of pages that work never load it.
import { WHY } from "./generated.js";

export async function explain(problem, service) {
  const why = await import(new URL(WHY, service.base)).catch(() => null);
  why?.explain(problem, service);
}
