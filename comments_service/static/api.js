// Talking with the service: no cookies, no session, and every failure is one Problem.

const PATIENCE_MS = 30_000;

export class Problem extends Error {
  constructor(slug, { status = 0, detail = "", errors = [], retryAfter = 0 } = {}) {
    super(detail || slug);
    Object.assign(this, { slug, status, detail, errors, retryAfter });
  }

  concerns(field) {
    return this.errors.some((error) => error.field === field);
  }
}

export class Service {
  #root;
  #article;
  #query;

  /** `article` is {url, id?, title?}; `query` holds what else shapes the thread: lang, sort. */
  constructor(base, site, article, query = {}) {
    this.base = base;
    this.#root = new URL("api/v1/", base);
    this.site = site;
    this.#article = article;
    this.#query = query;
  }

  /** `part` says which page: by {cursor}, by {comment}, or the first one. */
  thread(part, options) {
    return request(this.address("thread", { ...this.#article, ...this.#query, ...part }), options);
  }

  get sort() {
    return this.#query.sort;
  }

  set sort(sort) {
    this.#query.sort = sort;
  }

  /** `earlier` is the ticket that this one takes the place of: it proves how long the form has been open. */
  ticket(earlier) {
    const { url, id } = this.#article;
    return request(this.address("ticket", { url, id, earlier }));
  }

  post(fields, key) {
    return this.ask(this.address("comments"), {
      method: "POST",
      headers: { "Idempotency-Key": key },
      fields: { ...this.#article, ...fields },
    });
  }

  counts(addresses, lang) {
    const address = this.address("counts", { lang });
    for (const each of addresses) address.searchParams.append("url", each);
    return request(address);
  }

  /** Whatever else lies below the API: `fields` go there as JSON. */
  ask(path, { fields, headers, ...options }) {
    const sent = fields && { headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(fields) };
    return request(new URL(path, this.#root), { headers, ...options, ...sent });
  }

  /** Where something of the site is, below the API. */
  address(what, values = {}) {
    const address = new URL("sites/" + encodeURIComponent(this.site) + "/" + what, this.#root);
    for (const [name, value] of Object.entries(values)) {
      if (value != null) address.searchParams.append(name, value);
    }
    return address;
  }
}

async function request(address, { signal, ...options } = {}) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    const answer = await fetch(address.href, { // as text: what pages put in its place may know no other
      credentials: "omit",
      ...options,
      signal: signal ? AbortSignal.any([signal, patience]) : patience,
    });
    if (answer.ok) return answer.status === 204 ? null : await answer.json();
    throw await problemOf(answer);
  } catch (error) {
    if (error instanceof Problem || signal?.aborted) throw error;
    throw new Problem("network");
  }
}

async function problemOf(answer) {
  const told = await answer.json().catch(() => ({}));
  const slug = String(told.type ?? "").split(":").pop(); // empty: somebody in between has answered
  return new Problem(slug, {
    status: answer.status,
    detail: told.detail,
    errors: told.errors ?? [],
    retryAfter: Number(answer.headers.get("Retry-After")) || 0,
  });
}
