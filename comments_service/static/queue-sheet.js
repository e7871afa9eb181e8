// What needs more room than a row: all about one comment, and the forms about all that are ticked.

import { prepare } from "./queue-forms.js";
import { tickOf } from "./queue-rows.js";

export class Sheet {
  #dialog = document.querySelector("[data-sheet]");
  #parts;

  /** `parts`: rows, door, desk, line, notice, writer, and acts: what the buttons of a row do. */
  constructor(parts) {
    this.#parts = parts;
    this.#dialog.addEventListener("close", () => this.#left());
    // Of a long field browsers show the caret alone, and not where the field ends
    this.#dialog.addEventListener("focusin", ({ target }) => target.scrollIntoView({ block: "nearest" }));
    this.#dialog.addEventListener("click", (event) => {
      const isLeft = event.target === this.#dialog || event.target.closest("[data-cancel]");
      if (!isLeft) return;
      event.preventDefault();
      this.#dialog.close();
    });
  }

  /** Everything about one comment, as its own page has it. */
  async openFile(row) {
    const { door, desk, line } = this.#parts;
    const link = row.querySelector("[data-edit]");
    try {
      const page = await line.add(() => door.piece(`${link.href}?part=file`));
      const file = this.#show(page.querySelector(".file"));
      for (const form of file.querySelectorAll("form")) this.#prepare(form, [row]);
      file.querySelector("h1").focus();
    } catch (trouble) {
      desk.told.trouble(row, trouble, () => this.openFile(row));
    }
  }

  /** One of the forms about all of these: "move" or "author". */
  async openBulk(part, chosen) {
    const { door, desk, line, notice } = this.#parts;
    const { formAction } = document.querySelector(`[data-bulk="${part}"]`);
    const ticks = () => chosen.map((row) => ["tick", tickOf(row).value]);
    try {
      const page = await line.add(() => door.ask(formAction, [...notice.place, ...ticks()]));
      const form = this.#show(page.querySelector("form.write"));
      this.#prepare(form, chosen);
      form.querySelector(".field input, [type=radio]:checked").focus();
    } catch (trouble) {
      desk.told.troubleOfAll(trouble, desk.last);
    }
  }

  #show(content) {
    const heading = content.querySelector("h1");
    Object.assign(heading, { id: "sheet-title", tabIndex: -1 });
    this.#dialog.replaceChildren(document.adoptNode(content));
    this.#dialog.showModal();
    return content;
  }

  #prepare(form, chosen) {
    const { acts, writer } = this.#parts;
    const leave = () => this.#dialog.close();
    const send = async (_, submitter) => {
      const fields = new FormData(form, submitter);
      if (submitter?.name === "decide" || submitter?.name === "switch") {
        leave(); // the row does it, as if its own button had been pressed
        return acts[submitter.name](submitter, chosen, fields.get("note"));
      }
      await writer.write(chosen, form, fields, leave);
    };
    prepare(form, { send, leave });
  }

  /** The keyboard goes back to where it was, or to the row it is about. */
  #left() {
    this.#dialog.replaceChildren();
    const { rows } = this.#parts;
    const row = rows.current ?? rows.shown[0];
    if (document.activeElement === document.body && row) rows.focus(row);
  }
}
