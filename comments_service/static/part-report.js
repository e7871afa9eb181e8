// The form to report a comment, below it: why, and words if the reader has some.
import { freshId, make } from "./dom.js";

const REASONS = ["spam", "abuse", "off_topic", "private_data", "other"];
const opened = new WeakMap(); // by button

/** `button` stands in the comment's line of buttons; focus goes from there, and back. */
export function openReport(comment, button, given) {
  if (button.ariaDisabled === "true") return;
  if (!opened.has(button)) opened.set(button, new ReportForm(comment, button, given));
  opened.get(button).focus();
}

class ReportForm {
  #comment;
  #button;
  #given;
  #alert = make("div", { class: "form__alert", role: "alert" });
  #send;
  #element;

  constructor(comment, button, given) {
    this.#comment = comment;
    this.#button = button;
    this.#given = given;
    this.#send = make("button", { type: "submit", class: "button" }, this.#say("form.report.send"));
    const cancel = make("button", { type: "button", class: "quiet" }, this.#say("thread.cancel"));
    cancel.addEventListener("click", () => this.#close());
    this.#element = make(
      "form",
      { class: "form report", novalidate: true, "aria-label": button.ariaLabel },
      this.#reasons(),
      this.#note(),
      this.#alert,
      make("p", { class: "comment__actions" }, this.#send, cancel),
    );
    this.#element.addEventListener("keydown", (event) => this.#press(event));
    this.#element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(new FormData(this.#element));
    });
    button.closest(".comment__actions").after(this.#element);
    button.ariaExpanded = "true";
  }

  focus() {
    this.#element.querySelector("input:checked, input").focus();
  }

  #say(key) {
    return this.#given.speech.say(key);
  }

  #reasons() {
    const choices = REASONS.map((reason) => {
      const input = make("input", { type: "radio", name: "reason", value: reason });
      return make("label", { class: "report__reason" }, input, this.#say("form.report." + reason));
    });
    const legend = make("legend", { class: "field__label" }, this.#say("form.report.reason"));
    return make("fieldset", { class: "report__reasons" }, legend, ...choices);
  }

  #note() {
    const id = freshId("report");
    const label = make("label", { for: id, class: "field__label" }, this.#say("form.report.note"));
    const hint = make("p", { id: id + "-hint", class: "form__privacy" }, this.#say("form.report.hint"));
    const more = { dir: "auto", rows: "3", maxlength: "500", "aria-describedby": hint.id };
    return make("div", { class: "field" }, label, make("textarea", { id, name: "note", class: "field__input report__note", ...more }), hint);
  }

  #press(event) {
    event.stopPropagation(); // the host's one-letter shortcuts see the element, not the field inside
    if (event.key === "Escape") this.#close();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#element.requestSubmit();
  }

  async #submit(fields) {
    if (this.#send.ariaDisabled === "true") return;
    this.#alert.textContent = "";
    if (!fields.get("reason")) return this.#refuse("error.reason.required");
    this.#send.ariaDisabled = "true";
    try {
      const path = "comments/" + this.#comment.id + "/reports";
      await this.#given.service.ask(path, { method: "POST", fields: Object.fromEntries(fields) });
      this.#thank();
    } catch (problem) {
      this.#tell(problem);
    }
    this.#send.ariaDisabled = null;
  }

  #refuse(key) {
    this.#alert.textContent = this.#say(key);
    this.focus();
  }

  #tell({ slug, errors: [wrong] }) {
    const keys = [wrong && wrong.field + "." + wrong.code, slug, "internal"].map((key) => "error." + key);
    this.#alert.textContent = this.#say(keys.find((key) => this.#given.speech.has(key)));
  }

  #thank() {
    const words = this.#say("note.reported");
    this.#close();
    this.#button.textContent = this.#button.ariaLabel = this.#say("thread.reported");
    this.#button.ariaDisabled = "true";
    this.#button.closest(".comment__actions").after(make("p", { class: "report__thanks" }, words));
    this.#given.say(words);
  }

  #close() {
    this.#element.remove();
    opened.delete(this.#button);
    this.#button.ariaExpanded = null;
    this.#button.focus();
  }
}
