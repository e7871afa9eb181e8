// From the fields to an answer: the ticket, one key for one comment however often it is sent, one more try.

export class Sender {
  #service;
  #ticket = null;
  #key;
  #sent;

  constructor(service) {
    this.#service = service;
  }

  /** Fetch the ticket while the reader still types. */
  prepare() {
    if (this.#ticket) return;
    this.#ticket = this.#service.ticket();
    this.#ticket.catch(() => (this.#ticket = null)); // send() asks again, and shows what is wrong
  }

  async send(fields) {
    const sent = JSON.stringify(fields);
    if (sent !== this.#sent) this.#key = freshKey();
    this.#sent = sent;
    const answer = await this.#try(fields).catch((problem) => {
      if (problem.slug !== "ticket-refused") throw problem;
      this.#ticket = null;
      return this.#try(fields);
    });
    this.#ticket = this.#sent = null;
    return answer;
  }

  async #try(fields) {
    this.prepare();
    const { ticket } = await this.#ticket;
    return this.#service.post({ ...fields, ticket }, this.#key);
  }
}

function freshKey() {
  // randomUUID is missing on plain-http pages
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
