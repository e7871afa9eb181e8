// From the fields to an answer: the ticket, one key for one comment however often it is sent, one more try.
import { PROOF } from "./generated.js";

const PROOF_PATIENCE_MS = 5_000;

export class Sender {
  #service;
  #ticket = null;
  #earlier;
  #proof;
  #signal;
  #key;
  #sent;
  #unsent;

  /**
   * `unsent` keeps {sent, key} of what may or may not have arrived, and the form's last ticket: it proves how long a text
   * has been written that a reload brings back. `signal` ends the work for it. Without one none is done.
   */
  constructor(service, unsent, signal) {
    this.#signal = signal;
    this.#service = service;
    this.#unsent = unsent;
    this.#sent = unsent.kept?.sent;
    this.#key = unsent.kept?.key;
    this.#earlier = unsent.kept?.ticket;
  }

  /** Fetch the ticket while the reader still types. */
  prepare() {
    if (this.#ticket) return;
    this.#ticket = this.#service.ticket(this.#earlier);
    this.#proof = this.#prove(this.#ticket).catch(() => {}); // then the comment waits
    this.#ticket.then(
      ({ ticket }) => {
        this.#earlier = ticket;
        this.#keep();
      },
      () => (this.#ticket = null), // send() asks again, and shows what is wrong
    );
  }

  #keep() {
    this.#unsent.keep({ sent: this.#sent, key: this.#key, ticket: this.#earlier });
  }

  async #prove(ticket) {
    const { challenge } = await ticket;
    if (!challenge || !this.#signal) return;
    const { prove } = await import(new URL(PROOF, this.#service.base));
    return prove(challenge, this.#signal);
  }

  async send(fields) {
    const sent = nameOfSending(JSON.stringify({ ...fields, user: null }));
    if (sent !== this.#sent) this.#key = freshKey();
    this.#sent = sent;
    this.#keep(); // a reload in the middle must not make a second comment
    const answer = await this.#try(fields).catch((problem) => {
      if (problem.slug === "key-reused") this.#key = freshKey();
      else if (problem.slug === "ticket-refused") this.#ticket = null;
      else throw problem;
      return this.#try(fields);
    });
    this.#ticket = this.#earlier = this.#sent = null;
    this.#unsent.keep(null);
    return answer;
  }

  async #try(fields) {
    this.prepare();
    const { ticket } = await this.#ticket;
    const proof = await Promise.race([this.#proof, new Promise((resolve) => setTimeout(resolve, PROOF_PATIENCE_MS))]);
    return this.#service.post({ ...fields, ticket, proof }, this.#key);
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
