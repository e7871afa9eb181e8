// Forms that scripts have opened: sent without a reload; what is wrong stands at its field, and nothing typed is lost.

import { make } from "./dom.js";

/** Let `send(form, submitter)` send it, and `leave()` close what it stands in. */
export function prepare(form, { send, leave }) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy) return;
    form.ariaBusy = "true";
    forgetWrong(form);
    await send(form, event.submitter);
    form.ariaBusy = null; // where it is still open, something was wrong with it
  });
  form.addEventListener("keydown", (event) => {
    const isMeant = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (isMeant) form.requestSubmit();
  });
  form.addEventListener("click", (event) => {
    if (!event.target.closest("[data-cancel]")) return;
    event.preventDefault();
    leave();
  });
}

/** Say at each field what is wrong with it; false where the form has none of them. */
export function tellWrong(form, errors) {
  const fields = errors.map((error) => tellField(form, error)).filter(Boolean);
  const first = fields[0]?.querySelector(":checked") ?? fields[0];
  first?.focus();
  return fields.length > 0;
}

/** Say it of the whole form: it did not arrive. */
export function tellForm(form, ...told) {
  forgetWrong(form);
  form.append(make("p", { class: "field__error", role: "alert" }, ...told));
}

function tellField(form, { field: name, detail }) {
  const field = form.querySelector(`[data-field="${CSS.escape(name)}"], .field [name="${CSS.escape(name)}"]`);
  if (!field) return null;
  const id = `${field.id || name}-error`;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", id);
  (field.closest(".field") ?? field).append(make("p", { class: "field__error", id }, detail));
  return field;
}

function forgetWrong(form) {
  for (const told of form.querySelectorAll(".field__error")) told.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
}
