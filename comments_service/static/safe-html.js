// The only door for HTML. The service has sanitised it; a host page with Trusted Types wants it said by a policy.

let policy;

export function showHtml(element, html) {
  policy ??= makePolicy();
  if (policy) element.innerHTML = policy.createHTML(html);
  else if (element.setHTML) element.setHTML(html);
  else element.textContent = readable(html);
}

function makePolicy() {
  const rules = { createHTML: (html) => html };
  if (!window.trustedTypes) return rules;
  try {
    return trustedTypes.createPolicy("comments", rules);
  } catch {
    return false; // the host page's list of policies leaves ours out
  }
}

function readable(html) {
  const named = { lt: "<", gt: ">", quot: '"', nbsp: " ", amp: "&" };
  return html
    .replace(/<\/(p|li|blockquote|pre)>|<br>/g, "\n")
    .replace(/<[^>]*>/g, "")
    .replace(/&(lt|gt|quot|nbsp|amp);/g, (_, name) => named[name])
    .trim();
}
