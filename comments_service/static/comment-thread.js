// The element on the host's page: reads its attributes, loads the thread, says so when that fails.
import { Problem, Service } from "./api.js";
import { freshId, host, make, sheetOf } from "./dom.js";
import { explain } from "./explain.js";
import { fragmentOf, takePlace } from "./fragment.js";
import { BOOT_TEXTS, CLASSIC, STYLES } from "./generated.js";
import { Drafts, orderOf, Reader, receiptsOf, unsentOf, votesOf } from "./keeping.js";
import { ownTag, serviceBase } from "./own-tag.js";
import { addressedComment, articleOf, nearViewport, pageAddress } from "./page.js";
import { Speech } from "./speech.js";
import { ThreadView } from "./thread-view.js";

const MINUTE_MS = 60_000;

let sheet;

export class CommentThread extends HTMLElement {
  static observedAttributes = ["service", "site", "article-id", "article-url", "article-title", "lang", "look", "sort", "user"];

  #frame;
  #isBare;
  #dressed;
  #fragment;
  #life;
  #view;

  connectedCallback() {
    this.#start();
  }

  disconnectedCallback() {
    this.#life.abort();
  }

  attributeChangedCallback(name, before, now) {
    if (this.#life && this.isConnected && before !== now) this.#start();
  }

  async #start() {
    this.#life?.abort();
    const { signal } = (this.#life = new AbortController());
    this.#view = null;
    this.#settle();
    this.querySelector("[data-comments-fragment]")?.remove(); // that of another article, or look
    if (this.#fragment) this.hidden = false; // it may have been left while it waited behind its fragment
    this.#fragment = fragmentOf(this.#site, this.getAttribute("article-id"));
    if (this.#fragment) this.hidden = true;
    this.#showLoading();
    addEventListener("hashchange", () => this.#view?.followAddress("smooth"), { signal });
    await nearViewport(this.#fragment ?? this, signal);
    if (!signal.aborted) await this.#load(signal, articleOf(this));
  }

  get #site() {
    return this.getAttribute("site") ?? ownTag?.dataset.site;
  }

  async #load(signal, article) {
    const site = this.#site;
    const query = { lang: this.getAttribute("lang"), sort: orderOf(site).kept ?? this.getAttribute("sort") };
    const service = new Service(this.getAttribute("service") ?? serviceBase, site, article, query);
    const comment = addressedComment();
    try {
      // A browser's first use of its tables for numbers and dates is slow: it may be, while the answer is on its way
      const [page] = await Promise.all([service.thread({ comment }, { signal }), this.#bootSpeech()]);
      await this.#show(page, service, article, signal, comment);
    } catch (problem) {
      if (signal.aborted) return;
      const isOurs = problem instanceof Problem;
      const plain = { ...article, url: pageAddress() };
      const isCanonical = !this.hasAttribute("article-url") && article.url !== plain.url;
      if (isOurs && isCanonical && problem.concerns("url")) return this.#load(signal, plain);
      this.#showFailure(() => this.#load(signal, article));
      if (!isOurs) throw problem; // what a page has done to the language, or an answer that is none
      explain(problem, service);
    }
  }

  async #show(page, service, article, signal, asked) {
    const scope = service.site + " " + (article.id ?? article.url);
    const reader = new Reader(service.site);
    const speech = new Speech(page.form.texts, page.form.language);
    this.number = null;
    const taken = [...host("querySelectorAll", "comment-thread")].map((thread) => thread.number);
    let number = 0; // among all threads of the page, which may come before others that are there
    while (taken.includes(number)) number += 1;
    this.number = number;
    this.#view = new ThreadView(page, {
      service,
      speech,
      signal,
      drafts: new Drafts(scope),
      edits: new Drafts("edit " + scope),
      receipts: receiptsOf(scope, reader),
      ballots: votesOf(service.site, reader),
      reader,
      order: orderOf(service.site),
      unsent: unsentOf(scope),
      tell: (name, detail) => this.#tell(name, detail),
      user: this.getAttribute("user"),
      trouble: this.#bootSpeech().say("boot.failed"),
      region: number > 0 && this.#frame.id, // tells the form from that of the first thread
    });
    await this.#view.prepare(this.#dressed);
    if (signal.aborted) return;
    this.#frame.lang = page.form.language;
    this.#frame.dir = page.form.direction;
    this.#place(page.thread.article, signal);
    this.#frame.ariaLabel = page.form.texts["thread.label"] + (number > 0 ? " " + (number + 1) : "");
    this.#tell("comments:ready", { count: page.thread.count });
    const timer = setInterval(() => {
      speech.renew(this.#frame);
      this.#view.news.look();
    }, MINUTE_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
    await this.#view.begin(asked);
  }

  /** In a tree of its own, with its styles; or, where the owner wants none, in the page's. */
  #settle() {
    const isBare = this.getAttribute("look") === "none";
    if (this.#isBare === isBare) return;
    this.#isBare = isBare;
    this.#frame?.remove();
    const frame = (this.#frame = make("section", { class: "comments", id: freshId("thread") }));
    if (isBare) {
      this.shadowRoot?.replaceChildren(make("slot"));
      this.replaceChildren(frame); // a page that was kept as a copy has the frame of before
      this.#dressed = import(new URL(CLASSIC, this.getAttribute("service") ?? serviceBase)).then(({ dress }) => dress(frame), () => {});
    } else {
      if (!this.shadowRoot) this.attachShadow({ mode: "open" }).adoptedStyleSheets = [(sheet ??= sheetOf(STYLES))];
      this.shadowRoot.replaceChildren(frame);
    }
  }

  /** Show the thread, where its fragment was if the page has one. */
  #place(article, signal) {
    const fragment = fragmentOf(this.#site, article);
    const show = () => {
      if (this.#fragment) this.hidden = false;
      this.#fill(...this.#view.elements);
    };
    if (fragment) takePlace(fragment, this, this.#frame, signal, show);
    else show();
  }

  #showLoading() {
    this.#fill(make("p", { class: !this.#fragment && "comments__loading" }, "…")); // no words: in 18 languages they would weigh more than they say
    this.#frame.ariaBusy = true;
  }

  #showFailure(retry) {
    const speech = this.#bootSpeech();
    const again = make("button", { type: "button", class: "button" }, speech.say("boot.retry"));
    again.addEventListener("click", () => {
      this.#frame.tabIndex = -1; // the button goes away: the keyboard's place stays here
      this.#frame.focus({ preventScroll: true });
      this.#showLoading();
      retry();
    });
    const words = this.#fragment?.dataset.unreachable ?? speech.say("boot.failed"); // its comments are there
    this.#fill(make("div", { class: "comments__failed", role: "alert" }, make("p", {}, words), again));
    if (this.#fragment) this.hidden = false;
  }

  #fill(...elements) {
    this.#frame.ariaBusy = null;
    this.#frame.replaceChildren(...elements);
  }

  /** The few words needed before the service has answered travel in the bundle. */
  #bootSpeech() {
    const wanted = (this.getAttribute("lang") || host("documentElement").lang).split("-")[0];
    const language = Object.hasOwn(BOOT_TEXTS, wanted) ? wanted : "en";
    return new Speech(BOOT_TEXTS[language], language);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }
}
