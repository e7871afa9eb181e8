// One line for the owner, in the console, with the command that mends it. Readers are not bothered with it.

const REFUSALS = ["site-not-found", "origin-refused"];

let said = false;

export async function explain(problem, service) {
  // A page that is not the site's cannot read the refusal; then the service answers, but not to us.
  const refused = REFUSALS.includes(problem.slug) || (problem.slug === "network" && (await answers(service)));
  if (said || !(refused || problem.concerns("url") || problem.concerns("id"))) return;
  said = true;
  const { site } = service;
  const { origin } = location;
  console.warn(
    refused
      ? `comments: either no site has the key "${site}" (comments site list), or it does not know ${origin} yet ` +
          `(comments site set ${site} --add-origin ${origin})`
      : `comments: ${problem.errors[0].detail}`,
  );
}

/** Whether the service answers at all: a refusal without CORS headers looks like a dead network. */
function answers(service) {
  const { href } = service.address("thread", { url: location.href });
  return fetch(href, { mode: "no-cors", credentials: "omit" }).then(
    () => true,
    () => false,
  );
}
