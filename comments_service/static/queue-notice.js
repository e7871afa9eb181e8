// What happened, told once: a line with the way back, the counts, and one voice for those who listen.

const SILENCE_MS = 600; // so that ten quick keys are one sentence

export class Notice {
  #element = document.querySelector("[data-notice]");
  #announcer = document.querySelector("[data-announcer]");
  #undo = this.#element.querySelector(".notice__undo");
  #button = this.#undo.querySelector("button");
  #first; // what the page came with: the batch that was decided before it was loaded, and the word on its button
  #speech;
  #sums = new Map();
  #sentences = new Set();
  #timer;

  constructor(speech) {
    this.#speech = speech;
    this.#element.removeAttribute("role"); // from now on the announcer speaks
    const batch = this.#undo.elements.batch.value;
    if (batch) this.#first = { batch, word: this.#button.textContent };
  }

  onUndo(undo) {
    this.#undo.addEventListener("submit", (event) => {
      event.preventDefault();
      undo();
    });
  }

  /** What was decided before the page was loaded, to be taken back, or done again. */
  get first() {
    return this.#first;
  }

  get undoAddress() {
    return this.#undo.action;
  }

  /** The part of the queue that is shown here: it goes with every form. */
  get place() {
    return [...new FormData(this.#undo)].filter(([name]) => name !== "batch" && name !== "csrf_token");
  }

  /** A word to those who look and those who listen: a key that means nothing here. */
  tell(text, last) {
    this.show(text, last);
    this.say(text);
  }

  /** `last` is what the button would take back, if there is something. */
  show(text, last) {
    this.#element.classList.add("notice--floating");
    this.#element.parentElement.classList.add("queue--told");
    this.#element.querySelector(".notice__text").textContent = text;
    this.#element.hidden = false;
    this.#undo.hidden = !last;
    this.#button.textContent = last?.word ?? this.#speech.say("queue.undo");
  }

  /** So many more: the sum is told once the keys have come to rest. */
  add(verb, count) {
    this.#sums.set(verb, (this.#sums.get(verb) ?? 0) + count);
    this.#speakSoon();
  }

  /** What belongs to the last sentence. */
  tellMore(name, values) {
    this.say(this.#speech.say(`queue.done.${name}`, values));
  }

  hide() {
    this.#element.hidden = true;
  }

  say(text) {
    this.#sentences.add(text);
    this.#speakSoon();
  }

  counts(counts, view) {
    if (!counts) return;
    for (const [name, count] of Object.entries(counts)) {
      const badge = document.querySelector(`[data-count="${name}"]`);
      if (!badge) continue;
      badge.textContent = count;
      badge.classList.toggle("views__count--none", !count);
    }
    this.#title(counts.pending);
    const heading = document.querySelector("[data-waiting]");
    if (view === "pending") heading.textContent = this.#speech.say("queue.heading.pending", { count: counts.pending });
  }

  #title(count) {
    document.title = this.#speech.say(count ? "queue.title.waiting" : "queue.title", { count });
  }

  #speakSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#speak(), SILENCE_MS);
  }

  #speak() {
    const sums = [...this.#sums].map(([verb, count]) => this.#speech.say(`queue.done.${verb}`, { count }));
    this.#announcer.textContent = [...sums, ...this.#sentences].join(" ");
    this.#sums.clear();
    this.#sentences.clear();
  }
}
