// How the text will look, from the service's own renderer: shown when asked for, and kept up while one types.
import { make } from "./dom.js";

const PAUSE_MS = 400;

export function preview(text, { speech, service, showHtml }) {
  const switcher = make(
    "button",
    { type: "button", class: "tool tool--preview", "aria-expanded": "false" },
    speech.say("form.preview"),
  );
  const body = make("div", { class: "comment__body", dir: "auto" });
  const label = speech.say("form.preview");
  const panel = make("div", { class: "preview", role: "region", "aria-label": label, tabindex: "0", hidden: true }, body);
  let timer, last, shown;

  switcher.addEventListener("click", () => {
    open(panel.hidden);
    if (!panel.hidden) refresh();
  });
  text.addEventListener("input", () => {
    clearTimeout(timer);
    if (!text.value) open(false); // it was sent, or thrown away
    if (!panel.hidden) timer = setTimeout(refresh, PAUSE_MS);
  });

  function open(opens) {
    panel.hidden = !opens;
    switcher.setAttribute("aria-expanded", String(opens));
  }

  async function refresh() {
    last?.abort();
    if (shown === text.value) return;
    const { signal } = (last = new AbortController());
    const asked = text.value;
    if (!asked.trim()) return show(asked, () => (body.textContent = speech.say("form.preview_empty")));
    try {
      const { html } = await service.ask(service.address("preview"), { method: "POST", fields: { text: asked }, signal });
      show(asked, () => showHtml(body, html));
    } catch (problem) {
      if (signal.aborted) return;
      show(null, () => (body.textContent = problem.errors?.[0]?.detail || speech.say("form.preview_failed")));
    }
  }

  function show(asked, put) {
    shown = asked;
    put();
  }

  return { switcher, panel };
}
