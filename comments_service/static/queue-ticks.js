// Ticks without a reload, and how many there are.

import { tickOf } from "./queue-rows.js";

export class Ticks {
  #form;
  #rows;
  #speech;

  constructor(form, rows, speech) {
    this.#form = form;
    this.#rows = rows;
    this.#speech = speech;
    form.addEventListener("change", () => this.count());
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.name === "tick") event.preventDefault(); // it would send the form
    });
    form.addEventListener("click", (event) => {
      const link = event.target.closest("[data-select]");
      if (!link) return;
      event.preventDefault();
      this.#set(link.dataset.select === "all");
    });
    addEventListener("pageshow", () => this.count());
  }

  toggle(row) {
    const tick = tickOf(row);
    if (tick) tick.checked = !tick.checked;
    this.count();
  }

  toggleAll() {
    this.#set(this.#rows.ticked.length < this.#rows.shown.length);
  }

  count() {
    const count = this.#rows.ticked.length;
    const counter = this.#form.querySelector(".bulk__count");
    counter.textContent = this.#speech.say("queue.bulk.ticked", { count });
    counter.hidden = count === 0;
    this.#form.querySelector(".bulk").classList.toggle("bulk--idle", count === 0);
    this.#form.parentElement.classList.toggle("queue--ticked", count > 0);
  }

  #set(isTicked) {
    for (const row of this.#rows.shown) {
      const tick = tickOf(row);
      if (tick) tick.checked = isTicked;
    }
    this.count();
  }
}
