// What happens inside a row: the forms of the comment's own page, and the email revealed.

import { prepare } from "./queue-forms.js";

export class Inline {
  #rows;
  #door;
  #desk;
  #line;
  #writer;
  #opening = null; // what is on its way: what is typed already is meant for it

  constructor(form, { rows, door, desk, line, writer }) {
    this.#rows = rows;
    this.#door = door;
    this.#desk = desk;
    this.#line = line;
    this.#writer = writer;
    form.addEventListener("click", (event) => this.#click(event));
  }

  /** Open one of the forms in a row: "edit", "reply", "move" or "author". False where the row has none. */
  open(row, part) {
    const link = row.querySelector(`[data-part="${part}"]`);
    if (link) this.#open(row.dataset.id, `${link.href.split("#")[0]}?part=${part}`);
    return Boolean(link);
  }

  close(row) {
    const open = row.querySelector(".row__inline");
    open?.remove();
    return Boolean(open);
  }

  /** Whether a form is on its way: then keys decide nothing. */
  get isOpening() {
    return this.#opening !== null;
  }

  closeAll() {
    this.#opening = null;
    for (const row of this.#rows.shown) this.close(row);
  }

  /** Whether this is the wish to see an email; it is shown in the row. */
  reveals(event) {
    const address = event.submitter?.getAttribute("formaction") ?? "";
    if (!/\/reveal\b/.test(address)) return false;
    event.preventDefault();
    const fields = new URLSearchParams(new FormData(event.target));
    fields.delete("tick");
    fields.set("part", "row");
    this.#door
      .piece(address, { method: "POST", body: fields })
      .then((page) => this.#rows.put(page.querySelectorAll(".row")))
      .catch((trouble) => this.#desk.told.trouble(event.submitter.closest(".row"), trouble));
    return true;
  }

  #click(event) {
    const link = event.target.closest("[data-part]");
    const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
    if (!link || !isPlain) return;
    event.preventDefault();
    this.open(link.closest(".row"), link.dataset.part);
  }

  async #open(id, address) {
    this.closeAll();
    const opening = (this.#opening = {});
    try {
      // When all before it is answered: what was just decided is then in the form's version
      const page = await this.#line.add(() => this.#door.piece(address));
      if (this.#opening === opening) this.#show(this.#rows.at(id), document.adoptNode(page.querySelector("form")));
    } catch (trouble) {
      this.#desk.told.trouble(this.#rows.at(id), trouble, () => this.#open(id, address));
    }
    if (this.#opening === opening) this.#opening = null;
  }

  #show(row, form) {
    const place = document.createElement("div");
    place.className = "row__inline";
    place.append(form);
    row.append(place);
    const leave = () => {
      const here = this.#rows.at(row.dataset.id); // the row may have been shown anew around the form
      this.close(here);
      this.#rows.focus(here);
    };
    const send = async (_, submitter) => {
      const here = this.#rows.at(row.dataset.id);
      await this.#writer.write([here], form, new FormData(form, submitter), leave);
    };
    prepare(form, { send, leave });
    form.querySelector("textarea, .field input, [type=radio]:checked")?.focus();
    form.scrollIntoView({ block: "nearest" });
  }
}
