// Forms about rows, and the articles' switches: sent in the line of decisions, told and undone like them.

import { allOf } from "./queue-desk.js";
import { tellWrong } from "./queue-forms.js";

export class Writer {
  #parts;

  /** `parts`: rows, line, door, desk, notice. */
  constructor(parts) {
    this.#parts = parts;
  }

  /**
   * Send a form about these rows, and show them as they are then; `taken` is called in between. Where a field
   * is wrong, it says so. Tells whether it was taken.
   */
  async write(chosen, form, fields, taken = () => {}) {
    const { line, door, desk } = this.#parts;
    try {
      const answer = await line.add(() => door.post(form.action, fields), { isSafe: false });
      const isTaken = answer.done.length > 0 || !answer.late.length;
      if (isTaken) taken();
      await desk.took(answer);
      return isTaken;
    } catch (trouble) {
      if (tellWrong(form, trouble.errors ?? [])) return false;
      if (form.closest("dialog")) desk.told.formTrouble(form, trouble);
      else desk.told.trouble(chosen[0], trouble, () => form.requestSubmit());
      return false;
    }
  }

  /** Let the articles of these rows take comments, or no more. `address` is that of one article, or of many. */
  async turn(address, value, chosen) {
    const { line, door, rows, notice, desk } = this.#parts;
    const ticks = chosen.map(({ dataset }) => ["tick", `${dataset.id}:${dataset.version}`]);
    const send = () => door.post(address, [...notice.place, ["switch", value], ...ticks]);
    try {
      const answer = await line.add(send, { isSafe: false });
      const articles = new Set(chosen.map(({ dataset }) => dataset.article));
      await desk.took(answer, allOf(rows.shown.filter(({ dataset }) => articles.has(dataset.article))));
    } catch (trouble) {
      for (const row of chosen) desk.told.trouble(row, trouble, () => this.turn(address, value, chosen));
    }
  }
}
