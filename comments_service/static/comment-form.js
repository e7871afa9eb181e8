// The form: one for the whole thread, it moves under the comment that is answered and back.
import { Problem } from "./api.js";
import { nameOf } from "./comment.js";
import { make } from "./dom.js";
import { Fields } from "./fields.js";
import { signedName } from "./page.js";
import { Sender } from "./sender.js";

const SLUGS = { 403: "origin-refused", 413: "body-too-large", 429: "too-many", 503: "store-unavailable" };
const USUAL_WAIT_SECONDS = 10;

export class CommentForm {
  #speech;
  #fields;
  #sender;
  #drafts;
  #reader;
  #user;
  #onPosted;
  #title;
  #cancel;
  #alert;
  #button;
  #consent;
  #letter = make("input", { type: "checkbox", name: "audience" });
  #parent = null;
  #busy = false;
  #openAt = 0;

  constructor({ speech, rules, service, drafts, reader, user, onPosted, onCancel }) {
    this.#speech = speech;
    this.#drafts = drafts;
    this.#reader = reader;
    this.#user = user;
    this.#onPosted = onPosted;
    this.#fields = new Fields(speech, rules, user && signedName(user));
    this.#sender = new Sender(service);
    this.element = this.#build(onCancel, rules.letters);
    this.#text.value = drafts.get(null);
    this.#recall();
  }

  get busy() {
    return this.#busy;
  }

  /** The comment answered, by its id; null for the article. */
  get parent() {
    return this.#parent;
  }

  /**
   * Turn to a comment, or with null to the article. Each has its own draft; but between the article and a
   * comment the text goes along where none waits, so that Reply and Cancel never take it off the screen.
   */
  turnTo(comment) {
    const parent = comment?.id ?? null;
    const begun = this.#drafts.get(parent);
    const goesAlong = !begun && parent !== this.#parent && (parent === null || this.#parent === null);
    if (goesAlong) {
      this.#drafts.set(this.#parent, "");
      this.#drafts.set(parent, this.#text.value);
    } else this.#text.value = begun;
    this.#parent = parent;
    this.#cancel.hidden = !comment;
    this.#title.textContent = comment
      ? this.#speech.say("form.title_reply", { name: nameOf(comment, this.#speech) })
      : this.#speech.say("form.title");
    this.#clearErrors();
  }

  focus() {
    this.#text.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: "nearest" });
  }

  get #text() {
    return this.#fields.input("text");
  }

  #build(onCancel, takesLetters) {
    const say = (key) => this.#speech.say(key);
    this.#title = make("h3", { class: "form__title", id: "form-title" }, say("form.title"));
    this.#cancel = make("button", { type: "button", class: "quiet", hidden: true }, say("form.cancel"));
    this.#cancel.addEventListener("click", onCancel);
    this.#alert = make("div", { class: "form__alert", role: "alert" });
    this.#button = make("button", { type: "submit", class: "button" }, say("form.submit"));
    this.#consent = make("input", { type: "checkbox", name: "consent" });
    this.#consent.addEventListener("change", () => this.#consent.checked || this.#reader.forget());
    const form = make(
      "form",
      { class: "form", novalidate: true, "aria-labelledby": "form-title" },
      make("div", { class: "form__head" }, this.#title, this.#cancel),
      make("p", { class: "form__note" }, make("span", { id: "email-note" }, say("note.email")), " ", say("note.required")),
      this.#fields.element("text"),
      make("div", { class: "form__pair" }, this.#fields.element("name"), this.#fields.element("email")),
      this.#fields.element("website"),
      takesLetters && make("label", { class: "form__consent" }, this.#letter, make("span", {}, say("form.letter"))),
      make("label", { class: "form__consent" }, this.#consent, make("span", {}, say("form.consent"))),
      this.#alert,
      this.#button,
      make("p", { class: "form__privacy" }, say("note.privacy")),
    );
    this.#listen(form);
    return form;
  }

  #listen(form) {
    form.addEventListener("submit", (event) => this.#submit(event));
    form.addEventListener("focusin", () => this.#sender.prepare());
    form.addEventListener("keydown", (event) => {
      event.stopPropagation(); // the host's one-letter shortcuts see the element, not the field inside
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    this.#text.addEventListener("input", () => this.#drafts.set(this.#parent, this.#text.value));
  }

  #recall() {
    const kept = this.#reader.kept;
    this.#consent.checked = Boolean(kept);
    for (const name of ["name", "email", "website"]) this.#fields.fill(name, kept?.[name] ?? "");
  }

  async #submit(event) {
    event.preventDefault();
    if (this.#busy) return;
    this.#clearErrors();
    const seconds = Math.ceil((this.#openAt - Date.now()) / 1000);
    if (seconds > 0) return this.#sayWait(seconds);
    this.#work(true);
    try {
      await this.#send();
    } catch (problem) {
      this.#work(false);
      this.#fail(problem instanceof Problem ? problem : new Problem("internal"));
    }
  }

  async #send() {
    const values = this.#fields.values();
    const previous = this.#consent.checked ? this.#reader.kept?.previous : null;
    const answer = await this.#sender.send({
      ...values,
      parent: this.#parent,
      previous,
      user: this.#user,
      audience: this.#letter.checked ? "editors" : null,
    });
    const { name, email, website } = values;
    if (this.#consent.checked) this.#reader.keep({ name, email, website, previous: answer.receipt });
    this.#drafts.set(this.#parent, "");
    this.#text.value = "";
    this.#letter.checked = false;
    this.#work(false);
    this.#onPosted(answer);
  }

  #work(busy) {
    this.#busy = busy;
    this.#fields.lock(busy);
    this.#button.toggleAttribute("aria-disabled", false);
    if (busy) this.#button.setAttribute("aria-disabled", "true");
    this.#button.textContent = this.#speech.say(busy ? "form.sending" : "form.submit");
  }

  #clearErrors() {
    this.#fields.clearErrors();
    this.#alert.textContent = "";
  }

  #fail(problem) {
    const count = this.#fields.showErrors(problem.errors);
    if (count) this.#alert.textContent = this.#speech.say("error.summary", { count });
    else if (problem.status === 429) this.#wait(problem.retryAfter || USUAL_WAIT_SECONDS);
    else this.#alert.textContent = this.#sentence(problem);
  }

  #sentence({ slug, status, detail, errors: [error] }) {
    const candidates = [error && error.field + "." + error.code, slug, SLUGS[status]].map((key) => "error." + key);
    const key = candidates.find((each) => this.#speech.has(each));
    return key || !detail ? this.#speech.say(key ?? "error.internal") : detail;
  }

  #wait(seconds) {
    this.#openAt = Date.now() + seconds * 1000;
    setTimeout(() => (this.#alert.textContent = ""), seconds * 1000);
    this.#sayWait(seconds);
  }

  #sayWait(seconds) {
    const [key, count] =
      seconds > 90 ? ["error.too-many-minutes", Math.ceil(seconds / 60)] : ["error.too-many", seconds];
    this.#alert.textContent = this.#speech.say(key, { count });
  }
}
