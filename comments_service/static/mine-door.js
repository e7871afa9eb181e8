// The way to an own comment, by its receipt.

/** See it, or by another method change it. */
export function askOwn(service, { id, receipt }, options) {
  const headers = { Authorization: "Bearer " + receipt };
  return service.ask("comments/" + encodeURIComponent(id), { ...options, headers });
}
