// Why a form could not be sent, in words that are announced; and when it can be sent again.
import { make } from "./dom.js";

const SLUGS = { 403: "origin-refused", 413: "body-too-large", 429: "too-many", 503: "store-unavailable" };
const USUAL_WAIT_SECONDS = 10;

export class Trouble {
  #speech;
  #signal;
  #away;
  #openAt = 0;
  element = make("div", { class: "form__alert", role: "alert" });

  constructor(speech, signal) {
    this.#speech = speech;
    this.#signal = signal;
  }

  clear() {
    this.#away?.abort();
    this.element.textContent = "";
  }

  /** Whether it is too early to send again; says so. */
  isWaiting() {
    const seconds = Math.ceil((this.#openAt - Date.now()) / 1000);
    if (seconds > 0) this.#sayWait(seconds);
    return seconds > 0;
  }

  /** `fields`: how many show what is wrong with them. What could not be sent offline goes by `sendAgain`. */
  tell(problem, fields, sendAgain) {
    if (fields) this.#say("error.summary", { count: fields });
    else if (problem.status === 429) this.#wait(problem.retryAfter || USUAL_WAIT_SECONDS);
    else if (problem.slug === "network" && !navigator.onLine) this.#waitForNetwork(sendAgain);
    else this.element.textContent = this.#sentence(problem);
  }

  #say(key, values) {
    this.element.textContent = this.#speech.say(key, values);
  }

  #sentence({ slug, status, detail, errors: [error] }) {
    const candidates = [error && error.field + "." + error.code, slug, SLUGS[status]].map((key) => "error." + key);
    const key = candidates.find((each) => this.#speech.has(each));
    return key || !detail ? this.#speech.say(key ?? "error.internal") : detail;
  }

  /** It goes by itself when the connection is back, if nothing has been typed until then. */
  #waitForNetwork(sendAgain) {
    this.#say("error.offline");
    this.#away = new AbortController();
    const options = { once: true, signal: AbortSignal.any([this.#away.signal, this.#signal]) };
    addEventListener("online", sendAgain, options);
    this.element.closest("form").addEventListener("input", () => this.#away.abort(), options);
  }

  #wait(seconds) {
    this.#openAt = Date.now() + seconds * 1000;
    setTimeout(() => (this.element.textContent = ""), seconds * 1000);
    this.#sayWait(seconds);
  }

  #sayWait(seconds) {
    const [key, count] =
      seconds > 90 ? ["error.too-many-minutes", Math.ceil(seconds / 60)] : ["error.too-many", seconds];
    this.#say(key, { count });
  }
}
