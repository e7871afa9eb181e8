// What a row itself tells: somebody was faster, or the decision did not arrive. With what to do about it.

import { make } from "./dom.js";
import { tellForm } from "./queue-forms.js";

export class Told {
  #parts;
  #login = document.querySelector(".queue").dataset.login;

  /** `parts`: rows, notice, speech, shown. */
  constructor(parts) {
    this.#parts = parts;
  }

  /** The comment is not as it is shown here; `look` shows it anew. */
  elsewhere(id, sentence, look) {
    const { rows, notice, speech } = this.#parts;
    const row = rows.at(id);
    if (!row?.firstChild || row.dataset.told === sentence) return;
    rows.comeBack(row);
    row.dataset.told = sentence;
    row.classList.add("row--elsewhere");
    rows.tell(row, "late", sentence, button(speech.say("queue.live.as_it_is"), look));
    notice.say(sentence);
    this.#parts.shown();
  }

  /** It did not arrive; `again`, if there is one, tries once more. */
  trouble(row, trouble, again) {
    const { rows, notice, speech } = this.#parts;
    const text = this.sentence(trouble);
    const more = again ? [button(speech.say("queue.live.again"), again)] : [];
    more.unshift(...this.#signIn(trouble));
    rows.comeBack(row);
    rows.tell(row, "trouble", text, ...more);
    notice.say(text);
    this.#parts.shown();
  }

  /** The same about no row alone. */
  troubleOfAll(trouble, last) {
    this.#parts.notice.tell(this.sentence(trouble), last);
  }

  /** The same in a form that lies before the rows; to send it is to try again. */
  formTrouble(form, trouble) {
    tellForm(form, this.sentence(trouble), " ", ...this.#signIn(trouble));
  }

  #signIn({ kind }) {
    if (kind !== "session") return [];
    const door = { href: this.#login, target: "_blank", class: "quiet" };
    return [make("a", door, this.#parts.speech.say("queue.live.sign_in"))];
  }

  sentence({ kind, detail }) {
    return kind === "refused" && detail ? detail : this.#parts.speech.say(`queue.trouble.${kind ?? "server"}`);
  }
}

function button(text, onClick) {
  const made = make("button", { type: "button", class: "quiet" }, text);
  made.addEventListener("click", onClick);
  return made;
}
