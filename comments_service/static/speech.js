// One language: texts with their values put in, plural forms, dates.

export class Speech {
  #texts;
  #numbers;
  #plurals;
  #dates;
  #days;
  #ages;

  constructor(texts, language) {
    this.#texts = texts;
    this.#numbers = new Intl.NumberFormat(language);
    this.#plurals = new Intl.PluralRules(language);
    this.#dates = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });
    this.#days = new Intl.DateTimeFormat(language, { dateStyle: "long" });
    this.#ages = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  }

  number(value) {
    return this.#numbers.format(value);
  }

  has(key) {
    return Object.hasOwn(this.#texts, key);
  }

  say(key, values = {}) {
    const text = this.#form(this.#texts[key] ?? "", values.count);
    // One pass: a name such as "{count}" stays a name.
    return text.replace(/\{(\w+)\}/g, (place, name) => {
      const value = values[name] ?? place;
      return typeof value === "number" ? this.#numbers.format(value) : value;
    });
  }

  date(iso) {
    return this.#dates.format(new Date(iso));
  }

  /** How long ago, of what is younger than a day; of everything else the day. */
  when(iso) {
    const minutes = (new Date(iso) - Date.now()) / 60_000;
    if (minutes > -60) return this.#ages.format(Math.min(0, Math.ceil(minutes)), "minute");
    if (minutes > -24 * 60) return this.#ages.format(Math.ceil(minutes / 60), "hour");
    return this.#days.format(new Date(iso));
  }

  /** Times go on: what says how long ago something was must not stand still. */
  renew(root) {
    for (const time of root.querySelectorAll("time")) time.textContent = this.when(time.dateTime);
  }

  #form(text, count) {
    if (typeof text === "string") return text;
    return text["=" + count] ?? text[this.#plurals.select(count)] ?? text.other;
  }
}
