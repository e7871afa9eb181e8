// What an author can do to an own comment: edit and withdraw it, below its text, while the service lets them.
import { freshId, make } from "./dom.js";
import { askOwn } from "./mine-door.js";
import { removeAt, tellDeclined } from "./mine-ends.js";

const equipped = new WeakMap();

/** `own`: {kept: its receipt, comment}. `given`: as `Mine` has it. */
export function tools(article, own, given) {
  if (equipped.has(article)) equipped.get(article).show();
  else equipped.set(article, new Tools(article, own, given));
}

class Tools {
  #article;
  #own;
  #given;
  #actions;
  #body;
  #edit;
  #withdraw;
  #note = make("p", { class: "comment__waiting", hidden: true });

  constructor(article, own, given) {
    this.#article = article;
    this.#own = own;
    this.#given = given;
    this.#actions = article.querySelector(".comment__actions");
    this.#body = article.querySelector(".comment__body");
    const { editable_until: until, withdrawable } = own.comment;
    this.#edit = until && this.#button("edit", () => this.#open());
    this.#withdraw = withdrawable && this.#button("withdraw", () => this.#ask());
    this.#actions.append(...[this.#edit, this.#withdraw].filter(Boolean));
    this.#body.before(this.#note);
    this.show();
    if (until) removeAt(Date.parse(until), () => this.#ending(), article, given.signal);
  }

  #say(key, values) {
    return this.#given.speech.say(key, values);
  }

  #button(key, act) {
    const label = { type: "button", class: "quiet", "aria-label": this.#say("thread." + key + ".own") };
    const button = make("button", label, this.#say("thread." + key));
    button.addEventListener("click", act);
    return button;
  }

  /** The comment as the service has it now. */
  show() {
    const { edit, edited_at: at, status } = this.#own.comment;
    if (status === "declined") this.#showDeclined();
    this.#note.hidden = !edit;
    if (edit) this.#note.textContent = this.#say("note.edit_" + edit.status) + " " + (edit.note ?? "");
    if (!at) return;
    const head = this.#article.querySelector(".comment__head");
    const label = head.querySelector(".comment__edited") ?? make("span", { class: "comment__edited" });
    label.textContent = this.#say("thread.edited_at", { moment: this.#given.speech.date(at) });
    head.append(label);
  }

  /** What ends with the time for changes: what waits can be withdrawn at any time. */
  #ending() {
    return [this.#edit, this.#own.comment.status !== "pending" && this.#withdraw].filter(Boolean);
  }

  #showDeclined() {
    const { comment } = this.#own;
    this.#edit?.remove();
    if (!comment.withdrawable) this.#withdraw?.remove();
    tellDeclined(this.#article, comment, (key) => this.#say(key), () => this.#given.onGone(comment));
  }

  #back(button) {
    if (button?.isConnected) button.focus();
    else this.#article.focus();
  }

  #open() {
    const { id, text, edit } = this.#own.comment;
    const { edits, ready } = this.#given;
    const input = make("textarea", { id: freshId("edit"), class: "field__input", dir: "auto", rows: "6" });
    input.value = edits.get(id) || (edit?.status === "pending" ? edit.text : text);
    const save = make("button", { type: "submit", class: "button" }, this.#say("thread.edit.save"));
    const cancel = make("button", { type: "button", class: "quiet" }, this.#say("thread.cancel"));
    const trouble = this.#given.trouble();
    const label = make("label", { for: input.id, class: "field__label" }, this.#say("form.text"));
    const form = make(
      "form",
      { class: "form", novalidate: true, "aria-label": this.#say("thread.edit.own") },
      make("div", { class: "field" }, label, input),
      trouble.element,
      make("p", { class: "comment__actions" }, save, cancel),
    );
    const close = () => {
      form.remove();
      this.#body.hidden = this.#actions.hidden = false;
    };
    const leave = () => {
      close();
      this.#back(this.#edit);
    };
    cancel.addEventListener("click", leave);
    input.addEventListener("input", () => edits.set(id, input.value)); // neither Cancel nor a reload loses it
    form.addEventListener("keydown", (event) => {
      event.stopPropagation(); // the host's one-letter shortcuts see the element, not the field inside
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
      if (event.key === "Escape") leave();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#try(trouble, [save, input], async () => {
        const { comment } = await this.#send("PATCH", { text: input.value });
        edits.set(id, "");
        close();
        this.#changed(comment);
      }).catch((problem) => trouble.tell(problem, 0, () => form.requestSubmit()));
    });
    this.#body.hidden = this.#actions.hidden = true;
    this.#body.after(form);
    ready(input);
    input.focus();
  }

  #changed(comment) {
    const wasWaiting = this.#own.comment.status === "pending";
    Object.assign(this.#own.comment, comment);
    this.#given.showHtml(this.#body, comment.html);
    this.show();
    this.#article.focus();
    this.#given.say(this.#say(comment.edit ? "note.edit_pending" : "note.edited"));
    if (wasWaiting && comment.status === "approved") this.#given.onPublished(this.#own.comment);
  }

  #ask() {
    const question = this.#say("thread.withdraw.ask");
    const sure = make("button", { type: "button", class: "button" }, this.#say("thread.withdraw.sure"));
    const cancel = make("button", { type: "button", class: "quiet" }, this.#say("thread.cancel"));
    const trouble = this.#given.trouble();
    const actions = make("p", { class: "comment__actions" }, sure, cancel);
    const asked = make("form", { class: "comment__ask", "aria-label": question }, make("p", {}, question), trouble.element, actions);
    const leave = () => {
      asked.remove();
      this.#actions.hidden = false;
      this.#back(this.#withdraw);
    };
    cancel.addEventListener("click", leave);
    asked.addEventListener("keydown", ({ key }) => key === "Escape" && leave());
    sure.addEventListener("click", () =>
      this.#try(trouble, [sure], async () => {
        await this.#send("DELETE").catch((problem) => {
          if (problem.status !== 404) throw problem; // the first answer was lost
        });
        asked.remove();
        this.#gone();
      }).catch((problem) => trouble.tell(problem, 0, () => sure.click())),
    );
    this.#actions.hidden = true;
    this.#actions.after(asked);
    cancel.focus();
  }

  /** Its place stays until the page is left, with the replies below. */
  #gone() {
    const words = this.#say("thread.withdrawn");
    this.#actions.replaceChildren(...this.#actions.querySelectorAll(".comment__fold"));
    this.#actions.hidden = false;
    this.#article.replaceChildren(make("p", { class: "comment__removed" }, words), this.#actions);
    this.#article.focus();
    this.#given.say(words);
    this.#given.onGone(this.#own.comment);
  }

  #send(method, fields) {
    return askOwn(this.#given.service, this.#own.kept, { method, fields });
  }

  /** One thing at a time; what goes wrong is thrown on once everything can be pressed again. */
  async #try(trouble, controls, act) {
    const [button, input] = controls;
    if (button.ariaDisabled === "true" || trouble.isWaiting()) return;
    trouble.clear();
    const lock = (locked) => {
      button.ariaDisabled = String(locked);
      if (input) input.readOnly = locked;
    };
    lock(true);
    try {
      await act();
    } finally {
      lock(false);
    }
  }
}
