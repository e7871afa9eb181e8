// Asks for `fresh.js` when it is time to look for news: it never comes to a page that is left within a minute.
import { host } from "./dom.js";
import { FRESH } from "./generated.js";

export class News {
  #given;
  #watch;

  /** `given` is what fresh.js works with. */
  constructor(given) {
    this.#given = given;
  }

  /** It may be time: from the first look on, fresh.js knows when. */
  look() {
    if (host("hidden")) return;
    this.#watch ??= import(new URL(FRESH, this.#given.service.base)).then(
      ({ watch }) => watch(this.#given),
      () => (this.#watch = null), // asked again in a minute
    );
  }
}
