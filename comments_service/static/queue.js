// Improves the queue, which works without: ticks without a reload, a count of them, no click sent twice.
const form = document.querySelector(".decisions");
if (form) {
  const ticks = [...form.querySelectorAll('[name="tick"]')];
  const bar = form.querySelector(".bulk");
  const counter = form.querySelector(".bulk__count");
  const forms = JSON.parse(counter.dataset.forms);
  const plural = new Intl.PluralRules(document.documentElement.lang);

  const count = () => {
    const ticked = ticks.filter((tick) => tick.checked).length;
    const text = forms[`=${ticked}`] ?? forms[plural.select(ticked)] ?? forms.other;
    counter.textContent = text.replace("{count}", ticked.toLocaleString(document.documentElement.lang));
    counter.hidden = ticked === 0;
    bar.classList.toggle("bulk--idle", ticked === 0);
  };

  form.addEventListener("change", count);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.name === "tick") event.preventDefault(); // it would send the form
  });
  form.addEventListener("click", (event) => {
    const link = event.target.closest("[data-select]");
    if (!link) return;
    event.preventDefault();
    for (const tick of ticks) tick.checked = link.dataset.select === "all";
    count();
  });

  // A second click on its way would be told that the first one was faster
  form.addEventListener("submit", (event) => {
    if (form.ariaBusy) event.preventDefault();
    form.ariaBusy = "true";
  });
  addEventListener("pageshow", () => {
    form.ariaBusy = null; // back from the next page
    count();
  });
}
