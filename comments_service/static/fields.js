// The fields of the form, each with its label, its mark and the place for what is wrong with it.
import { freshId, make } from "./dom.js";

const NAMES = ["text", "name", "email", "website"];
const INPUTS = {
  text: { rows: "6" },
  name: { type: "text", autocomplete: "name" },
  email: { type: "email", autocomplete: "email" },
  website: { type: "url", autocomplete: "url" },
};

export class Fields {
  #speech;
  #rules;
  #signed;
  #note;
  #fields = new Map();

  /** `rules` are the site's: {required: [name…], limits: {name: count}}. A signed name stays as it is. `note`: the id of what is said of emails. */
  constructor(speech, rules, signed, note) {
    this.#speech = speech;
    this.#rules = rules;
    this.#signed = signed;
    this.#note = note;
    for (const name of NAMES) this.#fields.set(name, this.#build(name));
    if (!signed) return;
    this.fill("name", signed);
    this.element("email").hidden = true; // their own site knows them
    this.lock(false);
  }

  input(name) {
    return this.#fields.get(name).input;
  }

  element(name) {
    return this.#fields.get(name).element;
  }

  values() {
    const values = Object.fromEntries(NAMES.map((name) => [name, this.input(name).value || null]));
    if (this.#signed) values.email = null;
    if (values.website && !/^[a-z][a-z\d+.-]*:/i.test(values.website.trim())) {
      values.website = this.input("website").value = "https://" + values.website.trim();
    }
    return values;
  }

  fill(name, value) {
    this.input(name).value = this.#signed && name === "name" ? this.#signed : value;
  }

  lock(locked) {
    for (const [name, { input }] of this.#fields) input.readOnly = locked || (name === "name" && Boolean(this.#signed));
  }

  clearErrors() {
    for (const name of NAMES) this.#mark(name, "");
  }

  /** Show the errors of a problem beside their fields; answers how many, the first of them in focus. */
  showErrors(errors) {
    const wrong = NAMES.filter((name) => errors.some(({ field }) => field === name));
    for (const name of wrong) this.#mark(name, this.#sentence(errors.find(({ field }) => field === name)));
    if (wrong.length) this.input(wrong[0]).focus();
    return wrong.length;
  }

  #build(name) {
    const required = this.#rules.required.includes(name) && !(this.#signed && name === "email");
    const kind = name === "text" ? "textarea" : "input";
    const id = freshId(name);
    const error = make("p", { id: id + "-error", class: "field__error", hidden: true });
    const said = (name === "email" ? this.#note + " " : "") + error.id; // as long as it is empty it says nothing
    const input = make(kind, { id, name, required, class: "field__input", dir: "auto", "aria-describedby": said, ...INPUTS[name] });
    const star = required && make("span", { class: "field__star", "aria-hidden": "true" }, " *");
    const label = make("label", { for: id, class: "field__label" }, this.#speech.say("form." + name), star);
    input.addEventListener("input", () => this.#mark(name, ""));
    const tools = name === "text" && make("div", { class: "tools" });
    const element = make("div", { class: "field field--" + name }, label, input, tools, error);
    return { input, error, element };
  }

  #mark(name, message) {
    const field = this.#fields.get(name);
    field.error.textContent = message;
    field.error.hidden = !message;
    field.input.ariaInvalid = message ? true : null;
  }

  #sentence({ field, code, detail }) {
    const key = "error." + field + "." + code;
    return this.#speech.has(key) ? this.#speech.say(key, { limit: this.#rules.limits[field] }) : detail;
  }
}
