// The form: one for the whole thread, it moves under the comment that is answered and back.
import { Problem } from "./api.js";
import { nameOf } from "./comment.js";
import { freshId, make } from "./dom.js";
import { Fields } from "./fields.js";
import { WRITE } from "./generated.js";
import { signedName } from "./page.js";
import { showHtml } from "./safe-html.js";
import { Sender } from "./sender.js";
import { Trouble } from "./trouble.js";

export class CommentForm {
  #speech;
  #fields;
  #sender;
  #service;
  #limit;
  #drafts;
  #reader;
  #user;
  #onPosted;
  #title;
  #cancel;
  #trouble;
  #button;
  #consent;
  #note = freshId("note");
  #letter = make("input", { type: "checkbox", name: "audience", class: "form__check" });
  #trap = make("input", { name: "subject", class: "form__trap", tabindex: "-1", autocomplete: "off", "aria-hidden": "true" }); // no person sees it
  #parent = null;
  #busy = false;

  constructor({ speech, rules, service, drafts, reader, unsent, signal, user, region, onPosted, onCancel }) {
    this.#speech = speech;
    this.#drafts = drafts;
    this.#reader = reader;
    this.#user = user;
    this.#trouble = new Trouble(speech, signal);
    this.#onPosted = onPosted;
    this.#fields = new Fields(speech, rules, user && signedName(user), this.#note);
    this.#service = service;
    this.#limit = rules.limits.text_bytes;
    this.#sender = new Sender(service, unsent, !user && signal); // nobody asks those whom their own site knows
    this.element = this.#build(onCancel, rules.letters, region);
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

  /** Put what was said before what is typed, marked as a quotation. */
  quote(words) {
    if (!words) return;
    const lines = words.split("\n").map((line) => ("> " + line).trimEnd());
    this.#text.value = [lines.join("\n"), this.#text.value].join("\n\n");
    this.#text.dispatchEvent(new Event("input")); // it is a draft from now on
  }

  get #text() {
    return this.#fields.input("text");
  }

  #build(onCancel, takesLetters, region) {
    const say = (key) => this.#speech.say(key);
    this.#title = make("h3", { class: "form__title", id: freshId("title") }, say("form.title"));
    this.#cancel = make("button", { type: "button", class: "quiet", hidden: true }, say("form.cancel"));
    this.#cancel.addEventListener("click", onCancel);
    this.#button = make("button", { type: "submit", class: "button" }, say("form.submit"));
    this.#consent = make("input", { type: "checkbox", name: "consent", class: "form__check" });
    this.#consent.addEventListener("change", () => this.#consent.checked || this.#reader.forget());
    const form = make(
      "form",
      { class: "form", novalidate: true, "aria-labelledby": [this.#title.id, region].filter(Boolean).join(" ") },
      make("div", { class: "form__head" }, this.#title, this.#cancel),
      make("p", { class: "form__note" }, make("span", { id: this.#note }, say("note.email")), " ", say("note.required")),
      this.#fields.element("text"),
      this.#trap,
      make("div", { class: "form__pair" }, this.#fields.element("name"), this.#fields.element("email")),
      this.#fields.element("website"),
      takesLetters && make("label", { class: "form__consent" }, this.#letter, make("span", { class: "form__said" }, say("form.letter"))),
      make("label", { class: "form__consent" }, this.#consent, make("span", { class: "form__said" }, say("form.consent"))),
      this.#trouble.element,
      this.#button,
      make("p", { class: "form__privacy" }, say("note.privacy")),
    );
    this.#listen(form);
    return form;
  }

  #listen(form) {
    form.addEventListener("submit", (event) => this.#submit(event));
    form.addEventListener("focusin", () => {
      this.#sender.prepare();
      equipText(this.#text, this.#speech, this.#service, this.#limit);
    });
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
    if (this.#trouble.isWaiting()) return;
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
      subject: this.#trap.value || null,
      previous,
      user: this.#user,
      audience: this.#letter.checked ? "editors" : null,
    });
    const { name, email, website } = values;
    if (this.#consent.checked) this.#reader.keep({ name, email, website, previous: answer.receipt });
    this.#drafts.set(this.#parent, "");
    this.#text.value = "";
    this.#text.dispatchEvent(new Event("input")); // for the counter and the preview
    this.#letter.checked = false;
    this.#work(false);
    this.#onPosted(answer);
  }

  #work(busy) {
    this.#busy = busy;
    this.#fields.lock(busy);
    this.#button.ariaDisabled = busy || null;
    this.#button.textContent = this.#speech.say(busy ? "form.sending" : "form.submit");
  }

  #clearErrors() {
    this.#fields.clearErrors();
    this.#trouble.clear();
  }

  #fail(problem) {
    const count = this.#fields.showErrors(problem.errors);
    this.#trouble.tell(problem, count, () => this.element.requestSubmit());
  }
}

/** Buttons, counter and preview: nice to have, so nobody is told where they do not come. */
export async function equipText(text, speech, service, limit) {
  const { equip } = await import(new URL(WRITE, service.base)).catch(() => ({}));
  equip?.(text, { speech, service, limit, showHtml });
}
