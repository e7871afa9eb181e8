// The whole of count.js, for pages that show counts but no thread.
import { Service } from "./api.js";
import { showCounts } from "./counts.js";
import { ownTag, serviceBase, whenParsed } from "./own-tag.js";

if (ownTag) {
  const { site, lang } = ownTag.dataset;
  whenParsed(() => showCounts(new Service(serviceBase, site, {}), lang));
}
