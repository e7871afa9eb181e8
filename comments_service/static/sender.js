// From the fields to an answer: the ticket, one key for one comment however often it is sent, one more try.

export class Sender {
  #service;
  #ticket = null;
  #key;
  #sent;
  #unsent;

  /** `unsent` keeps {sent, key} of what may or may not have arrived. */
  constructor(service, unsent) {
    this.#service = service;
    this.#unsent = unsent;
    this.#sent = unsent.kept?.sent;
    this.#key = unsent.kept?.key;
  }

  /** Fetch the ticket while the reader still types. */
  prepare() {
    if (this.#ticket) return;
    this.#ticket = this.#service.ticket();
    this.#ticket.catch(() => (this.#ticket = null)); // send() asks again, and shows what is wrong
  }

  async send(fields) {
    const sent = nameOfSending(JSON.stringify({ ...fields, user: null }));
    if (sent !== this.#sent) this.#key = freshKey();
    this.#sent = sent;
    this.#unsent.keep({ sent, key: this.#key }); // a reload in the middle must not make a second comment
    const answer = await this.#try(fields).catch((problem) => {
      if (problem.slug === "key-reused") this.#key = freshKey();
      else if (problem.slug === "ticket-refused") this.#ticket = null;
      else throw problem;
      return this.#try(fields);
    });
    this.#ticket = this.#sent = null;
    this.#unsent.keep(null);
    return answer;
  }

  async #try(fields) {
    this.prepare();
    const { ticket } = await this.#ticket;
    return this.#service.post({ ...fields, ticket }, this.#key);
  }
}

/** Enough to know the same words again, and too little to read them or an email out of it (FNV-1a, 32 bits). */
function nameOfSending(words) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(words)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

function freshKey() {
  // randomUUID is missing on plain-http pages
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
