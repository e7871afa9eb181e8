// What happens inside a row: quick edit and reply by the forms of the comment's own page, and the email revealed.

export class Inline {
  #rows;
  #door;
  #desk;

  constructor(form, { rows, door, desk }) {
    this.#rows = rows;
    this.#door = door;
    this.#desk = desk;
    form.addEventListener("click", (event) => this.#click(event));
  }

  /** Open one of the forms in a row: "edit" or "reply". */
  async open(row, part) {
    const link = row.querySelector(`[data-part="${part}"]`);
    if (!link) return;
    for (const open of this.#rows.shown) this.close(open);
    try {
      const page = await this.#door.piece(`${link.href.split("#")[0]}?part=${part}`);
      const form = document.adoptNode(page.querySelector("form"));
      this.#show(row, form);
    } catch {
      location.assign(link.href); // the page itself says what is wrong
    }
  }

  close(row) {
    const open = row.querySelector(".row__inline");
    open?.remove();
    return Boolean(open);
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
      .catch((trouble) => this.#desk.tellTrouble(event.submitter.closest(".row"), trouble));
    return true;
  }

  #click(event) {
    const link = event.target.closest("[data-part]");
    const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
    if (!link || !isPlain) return;
    event.preventDefault();
    this.open(link.closest(".row"), link.dataset.part);
  }

  #show(row, form) {
    const place = document.createElement("div");
    place.className = "row__inline";
    place.append(form);
    row.append(place);
    form.addEventListener("submit", (event) => this.#send(event, row, form));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    form.addEventListener("click", (event) => {
      if (!event.target.closest("[data-cancel]")) return;
      event.preventDefault();
      this.close(row);
      this.#rows.focus(row);
    });
    form.querySelector("textarea")?.focus();
  }

  async #send(event, row, form) {
    event.preventDefault();
    if (form.ariaBusy) return;
    form.ariaBusy = "true";
    await this.#desk.write(row, form, new FormData(form, event.submitter));
    form.ariaBusy = null; // where it is still open, something was wrong with it
  }
}
