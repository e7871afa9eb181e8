// Deciding: the row leaves at once, the next has the keyboard, and the service is told in order.

import { Told } from "./queue-told.js";
import { tickOf } from "./queue-rows.js";

const BECOMES = { approve: "approved", unapprove: "pending", spam: "spam", trash: "trash" };
Object.assign(BECOMES, { not_spam: "pending", restore: "pending", delete: "" });
// What ends in views of what is marked so: readers reported it, or the service took it for spam
const SETTLING = { reported: ["approve", "spam", "trash", "dismiss"], check: ["not_spam", "spam", "delete"] };
const SHOWS = { all: ["pending", "approved"], mine: ["pending", "approved"] };

const MOST = 200; // rows that may be asked for at once

export class Desk {
  #parts;
  #view;
  #article;
  #told;
  #done = []; // what can be taken back, the last on top
  #undone; // what was taken back last: its row has the keyboard, whichever answer comes last

  /** `parts`: queue, form, rows, ticks, line, door, notice, refill, shown. */
  constructor(parts) {
    this.#parts = parts;
    this.#view = parts.queue.dataset.view;
    this.#article = new URLSearchParams(parts.queue.dataset.query).get("article");
    this.#told = new Told(parts);
    if (parts.notice.first) this.#done.push(parts.notice.first);
    parts.notice.onUndo(() => this.undo());
  }

  /** What would be taken back. */
  get last() {
    return this.#done.at(-1);
  }

  /** Decide about these rows, as they are shown; `note` is for the authors of what is declined. */
  async decide(verb, chosen, note) {
    const { line, rows } = this.#parts;
    const entry = {};
    if (verb !== "delete") this.#done.push(entry);
    const isLeaving = this.#isLeaving(verb);
    for (const row of chosen) {
      row.ariaBusy = "true";
      rows.tell(row, "quiet", "");
    }
    if (verb in BECOMES || isLeaving) this.#moveOn(chosen, isLeaving);
    let fields; // made when it is their turn: an earlier answer may have brought a new version
    const send = () => this.#parts.door.post(this.#parts.form.action, (fields ??= this.#fields(verb, chosen, note)));
    try {
      const answer = await line.add(send, { isSafe: verb !== "delete" });
      entry.batch = answer.batch;
      if (!answer.batch) this.#forget(entry);
      await this.#settle(verb, chosen, answer, isLeaving);
    } catch (trouble) {
      this.#forget(entry);
      for (const row of chosen) this.#told.trouble(row, trouble, () => this.decide(verb, [row], note));
    }
  }

  /** Take the last decision back, to the exact state before. */
  async undo() {
    const { queue, line, door, rows, notice } = this.#parts;
    const entry = this.#done.pop();
    if (!entry) return;
    this.#undone = entry;
    const send = () => entry.batch && door.post(notice.undoAddress, [...notice.place, ["batch", entry.batch]]);
    try {
      const answer = await line.add(send);
      if (!answer) return; // it had come too late, so there is nothing to take back
      notice.tell(answer.notice, this.last);
      notice.counts(answer.counts, this.#view);
      const back = answer.done.map((each) => each.id).filter((id) => rows.at(id));
      if (answer.done.length && !back.length) return location.assign(queue.dataset.home); // it was decided elsewhere
      const isOther = answer.batch && !answer.done.length; // an article, or how an author stands
      const [first] = await this.refresh(isOther ? allOf(rows.shown) : back);
      if (first && !isOther && entry === this.#undone) rows.focus(first);
      this.#parts.shown();
    } catch (trouble) {
      this.#done.push(entry);
      notice.tell(this.#told.sentence(trouble), entry);
    }
  }

  /** Somebody else decided about this one. */
  tellElsewhere(id, sentence) {
    this.#told.elsewhere(id, sentence, () => this.refresh([id]));
  }

  get told() {
    return this.#told;
  }

  /** Tell what an answer tells, and show anew what it was about, and these others. */
  async took({ batch, notice: text, counts, late, done }, others = []) {
    const { notice, rows } = this.#parts;
    if (batch) this.#done.push({ batch });
    notice.tell(text, this.last);
    notice.counts(counts, this.#view);
    for (const { id, sentence } of late) this.tellElsewhere(id, sentence);
    await this.refresh([...done.map(({ id }) => id).filter((id) => rows.at(id)?.firstChild), ...others]);
  }

  /** Show rows as they are now, where they were. Those that belong to another view leave. */
  async refresh(ids) {
    const { rows, ticks, shown } = this.#parts;
    if (!ids.length) return [];
    const fresh = await this.#fresh(ids);
    const put = rows.put(fresh.filter((row) => this.#belongs(row)));
    for (const row of fresh.filter((each) => !put.includes(each))) {
      const old = rows.at(row.dataset.id);
      if (old) this.#moveOn([old], true);
    }
    shown();
    ticks.count();
    return put;
  }

  async #fresh(ids) {
    const { queue, door } = this.#parts;
    const query = new URLSearchParams(queue.dataset.query);
    for (const id of ids) query.append("id", id);
    const piece = await door.piece(`${queue.dataset.rows}?${query}`);
    return [...piece.querySelectorAll(".row")];
  }

  #moveOn(chosen, isLeaving) {
    const { rows, ticks, shown } = this.#parts;
    const here = chosen.includes(rows.current) ? rows.current : chosen.at(-1);
    const next = rows.beyond(here, 1, chosen) ?? (isLeaving ? rows.beyond(here, -1, chosen) : here);
    for (const row of chosen) if (tickOf(row)) tickOf(row).checked = false;
    if (isLeaving) rows.leave(chosen);
    if (next) rows.focus(next);
    ticks.count();
    shown();
  }

  #isLeaving(verb) {
    if (this.#view in SETTLING) return SETTLING[this.#view].includes(verb);
    return verb in BECOMES && !this.#isShown(BECOMES[verb]);
  }

  #belongs({ dataset }) {
    const isShown = this.#view in SETTLING ? this.#view in dataset : this.#isShown(dataset.status);
    return isShown && (!this.#article || dataset.article === this.#article);
  }

  #isShown(status) {
    return (SHOWS[this.#view] ?? [this.#view]).includes(status);
  }

  #fields(verb, chosen, note) {
    // A row that stands for a cluster is decided with all that wait like it
    const like = ({ seen }) => (seen && verb in BECOMES ? `+${seen}` : "");
    const ticks = chosen.map(({ dataset }) => ["tick", `${dataset.id}:${dataset.version}${like(dataset)}`]);
    return [...this.#parts.notice.place, ["decide", verb], ...(note ? [["note", note]] : []), ...ticks];
  }

  async #settle(verb, chosen, { done, late, rest, notice: text, counts }, isLeaving) {
    const { rows, notice, refill, shown } = this.#parts;
    const answers = new Map(done.map((each) => [String(each.id), each]));
    const stay = [];
    for (const row of chosen) {
      row.ariaBusy = null;
      const answer = answers.get(row.dataset.id);
      if (!answer) continue;
      Object.assign(row.dataset, { version: answer.version, status: answer.status });
      if (isLeaving) rows.empty(row);
      else stay.push(row.dataset.id);
    }
    for (const { id, sentence } of late) this.tellElsewhere(id, sentence);
    if (done.length) notice.add(done.every(({ edit }) => edit) ? "edit_published" : verb, done.length);
    notice.show(text, this.last);
    notice.counts(counts, this.#view);
    refill.fill().then(shown);
    await this.refresh(stay);
    if (rest.length) await this.#bringRest(rest, done.length);
  }

  /** What of a cluster was not decided stays where its row was, as one row. */
  async #bringRest(rest, done) {
    const { rows, ticks, notice, shown } = this.#parts;
    const count = rest.reduce((sum, each) => sum + each.count, 0);
    notice.tellMore("rest", { count, total: count + done });
    for (const row of await this.#fresh(rest.map(({ id }) => id))) {
      rows.standIn(rows.at(rest.find(({ id }) => String(id) === row.dataset.id).of), row);
    }
    shown();
    ticks.count();
  }

  #forget(entry) {
    this.#done = this.#done.filter((each) => each !== entry);
  }
}

/** The ids of so many rows as may be asked for at once. */
export function allOf(rows) {
  return rows.slice(0, MOST).map(({ dataset }) => dataset.id);
}
