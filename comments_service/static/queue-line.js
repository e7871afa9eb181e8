// What was decided waits in line: sent one after the other in the order of the keys, none lost, none twice.

const WAITS_MS = [400, 1_600];

export class Line {
  #last = Promise.resolve();
  #length = 0;
  #isDown = false;

  constructor() {
    addEventListener("beforeunload", (event) => {
      if (this.#length) event.preventDefault(); // the browser asks; what is on its way arrives all the same
    });
  }

  get isEmpty() {
    return this.#length === 0;
  }

  /** Send when all before it is answered. `isSafe`: sent again, should nobody know whether it arrived. */
  add(send, { isSafe = true } = {}) {
    this.#length += 1;
    const answered = this.#last.then(() => this.#patiently(send, isSafe));
    this.#last = answered.catch(() => {}).then(() => (this.#length -= 1));
    return answered;
  }

  async #patiently(send, isSafe) {
    for (const wait of isSafe && !this.#isDown ? WAITS_MS : []) {
      try {
        return await this.#once(send);
      } catch (trouble) {
        if (trouble.kind !== "network") throw trouble;
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    return this.#once(send);
  }

  async #once(send) {
    try {
      const answer = await send();
      this.#isDown = false;
      return answer;
    } catch (trouble) {
      this.#isDown = trouble.kind === "network"; // the next in line need not wait for it all over again
      throw trouble;
    }
  }
}
