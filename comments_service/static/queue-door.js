// Talking with our own service: fields in, JSON or rows out, and every failure is one Trouble.

const PATIENCE_MS = 15_000;
const KEPT_ALIVE_BYTES = 60_000; // browsers refuse to keep 64 KiB and more alive

/**
 * `kind`: "network" (nobody knows whether it arrived), "session" (signed out), "server" or "refused".
 * `errors`: which fields were wrong, and how.
 */
export class Trouble extends Error {
  constructor(kind, { detail = "", errors = [] } = {}) {
    super(detail || kind);
    Object.assign(this, { kind, detail, errors });
  }
}

export class Door {
  #isSignedOut = false;

  /** Send a form and read the answer. A 409 that tells what happened is an answer too. */
  async post(address, fields) {
    const body = await this.#guarded(fields);
    const answer = await this.#ask(address, { method: "POST", body, headers: { Accept: "application/json" } });
    const told = await answer.json().catch(() => ({}));
    if (answer.ok || (answer.status === 409 && told.late)) return told;
    throw new Trouble(answer.status >= 500 ? "server" : "refused", told);
  }

  /** The page by which a form is answered that needs another word first. */
  async ask(address, fields) {
    return this.piece(address, { method: "POST", body: await this.#guarded(fields) });
  }

  /** A piece of a page. */
  async piece(address, options = {}) {
    const answer = await this.#ask(address, { headers: { Accept: "text/html" }, ...options });
    if (!answer.ok) throw new Trouble(answer.status >= 500 ? "server" : "refused");
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  }

  async #guarded(fields) {
    if (this.#isSignedOut) await this.#renew();
    const body = new URLSearchParams(fields);
    body.set("csrf_token", document.querySelector("[name=csrf_token]").value);
    return body;
  }

  async #ask(address, options) {
    let answer;
    try {
      // Leaving the page does not take back what was decided on it
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const keepalive = String(options.body ?? "").length < KEPT_ALIVE_BYTES;
      answer = await fetch(address, { ...options, signal, redirect: "manual", keepalive });
    } catch {
      throw new Trouble("network");
    }
    const isRefusedForm = answer.status === 403 && /form-refused/.test(await answer.clone().text());
    if (answer.type === "opaqueredirect" || answer.status === 401 || isRefusedForm) {
      this.#isSignedOut = true; // our pages lead there only who is not signed in
      throw new Trouble("session");
    }
    return answer;
  }

  /** After a new sign-in in another tab this page's forms need that session's token. */
  async #renew() {
    const page = await this.piece(document.querySelector(".queue").dataset.home);
    const token = page.querySelector("[name=csrf_token]").value;
    for (const field of document.querySelectorAll("[name=csrf_token]")) field.value = token;
    this.#isSignedOut = false;
  }
}
