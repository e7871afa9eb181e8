// What a page can be asked about its looks; tests/looks.py puts it into every page it judges.
globalThis.looks = (() => {
  const STOPS = 'a[href], button, input:not([type="hidden"]), select, textarea, summary, [tabindex="0"]';
  const BOXES =
    ".panel, .card, .notice, .act, .button, .field__input, .menu__sheet, .rows, .chip, dialog, .now, select";
  const TARGETS = 'button, select, summary, input:not([type="hidden"]), textarea, .button, .act, nav a';
  const NO_BOXES = "svg *, option, .unseen, .unseen *, [dir=ltr], .code__text, .code__text *, .comment__body *";

  const name = (one) => one.outerHTML.slice(0, 90);
  const isThere = (one) => one.checkVisibility({ visibilityProperty: true });
  // Everything in the order of the page, what stands in shadow trees included
  function* within(root) {
    for (const one of root.querySelectorAll("*")) {
      yield one;
      if (one.shadowRoot) yield* within(one.shadowRoot);
    }
  }
  const find = (root, selector) => [...within(root)].filter((one) => one.matches(selector));
  const all = (selector) => find(document, selector).filter(isThere);
  const parentOf = (one) => one.parentElement ?? one.getRootNode().host;
  // Where the keyboard is at work: in what has opened, else on the page. A menu closes when the focus leaves it
  const top = () => document.querySelector("dialog:modal, .menu[open], .bulk__more[open]") ?? document.body;

  // What Tab must reach, in this order; of a group of radio buttons it is one.
  function stops() {
    const isFirstOfGroup = (one) => {
      const named = one.getRootNode().querySelectorAll(`[name="${one.name}"]`);
      const group = [...named].filter((other) => other.form === one.form);
      return one === (group.find((other) => other.checked) ?? group[0]);
    };
    return find(top(), STOPS)
      .filter((one) => isThere(one) && one.tabIndex >= 0 && !one.matches(":disabled") && !one.closest("[inert]"))
      .filter((one) => one.type !== "radio" || isFirstOfGroup(one));
  }

  // The box that shows the focus: the thing itself, its label, or the row that has it
  function ringOf(one) {
    const boxes = [one, one.closest("label"), one.closest(".row")];
    return boxes.find((box) => box && getComputedStyle(box).outlineStyle !== "none");
  }

  function isCutOff(box) {
    const { outlineOffset, outlineWidth } = getComputedStyle(box);
    const reach = parseFloat(outlineOffset) + parseFloat(outlineWidth) - 1;
    const ring = box.getBoundingClientRect();
    for (let frame = parentOf(box); frame !== document.body; frame = parentOf(frame)) {
      if (getComputedStyle(frame).overflow === "visible") continue;
      const edge = frame.getBoundingClientRect();
      const isInside =
        ring.left - reach >= edge.left && ring.right + reach <= edge.right &&
        ring.top - reach >= edge.top && ring.bottom + reach <= edge.bottom;
      if (!isInside) return true;
    }
    return false;
  }

  function troubleOf(one) {
    const ring = ringOf(one);
    const { outlineStyle, outlineWidth } = getComputedStyle(ring ?? one);
    const isBrowsers = outlineStyle === "auto"; // drawn as wide as it wants, whatever it says
    if (!ring || (!isBrowsers && parseFloat(outlineWidth) < 2)) return "no ring";
    if (isCutOff(ring)) return "its ring is cut off";
    const box = one.getBoundingClientRect();
    const above = one.getRootNode().elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return above && !one.contains(above) && !above.contains(one) ? "it is covered" : "";
  }

  // Begins to note what gets the focus; answers how often Tab is to be pressed. A date has more than one stop.
  let expected, order, wrong;
  function watchTab() {
    [expected, order, wrong] = [stops(), [], []];
    const note = (event) => {
      const [target] = event.composedPath();
      if (target === top() || target === order.at(-1)) return;
      order.push(target);
      const trouble = expected.includes(target) ? troubleOf(target) : "not to be reached";
      if (trouble) wrong.push(`by Tab: ${trouble}: ${name(target)}`);
    };
    // A focus that goes from one to the next within a shadow tree is not heard outside of it
    for (const root of [document, ...[...within(document)].map((one) => one.shadowRoot).filter(Boolean)])
      root.addEventListener("focusin", note);
    const start = top(), was = start.getAttribute("tabindex");
    start.tabIndex = -1;
    start.focus();
    if (was === null) start.removeAttribute("tabindex");
    return expected.length + 3 * expected.filter((one) => one.type === "date").length;
  }

  function metByTab() {
    const places = order.map((one) => expected.indexOf(one)).slice(0, expected.length);
    const missed = expected.filter((one) => !order.includes(one)).map((one) => `never reached by Tab: ${name(one)}`);
    const isInOrder = places.every((place, index) => !index || places[index - 1] < place);
    return [...wrong, ...missed, ...(isInOrder || missed.length ? [] : ["Tab goes another way than the page"])];
  }

  // Where boxes stand that a layout has placed; text within a line goes by its own rules
  function boxes() {
    const isPlaced = (one) => /grid|flex/.test(getComputedStyle(parentOf(one)).display);
    return [...within(document.body)]
      .filter((one) => isThere(one) && !one.matches(NO_BOXES) && isPlaced(one))
      .map((one) => [name(one), one.getBoundingClientRect().left, one.getBoundingClientRect().right]);
  }

  // Write the other way: on the page, and in what says so for itself
  function turn() {
    for (const one of [document.documentElement, ...all("section[dir]")]) one.dir = one.dir === "rtl" ? "ltr" : "rtl";
  }

  // What says which one is current, where colours are not the page's own
  function told(one) {
    const style = getComputedStyle(one);
    const { color, fontWeight, textDecorationLine, borderBlockEndColor, borderBlockEndWidth } = style;
    return [color, fontWeight, textDecorationLine, borderBlockEndColor, borderBlockEndWidth].join();
  }

  function unseenInForcedColours() {
    const found = [];
    for (const here of all("[aria-current]")) {
      const other = [...here.closest("nav").querySelectorAll("a:not([aria-current])")].find(isThere);
      if (other && told(here) === told(other)) found.push(`in forced colours not told apart: ${name(here)}`);
    }
    for (const box of all(BOXES)) {
      const { borderInlineStartWidth: width, borderInlineStartStyle: style } = getComputedStyle(box);
      if (style === "none" || parseFloat(width) < 1) found.push(`in forced colours without an edge: ${name(box)}`);
    }
    const paper = getComputedStyle(document.documentElement).backgroundColor;
    for (const shape of all(".chart rect:not(defs *), .chart line")) {
      const inks = [getComputedStyle(shape).fill, getComputedStyle(shape).stroke];
      if (inks.every((ink) => ["none", paper].includes(ink))) found.push(`in forced colours unseen: ${name(shape)}`);
    }
    return found;
  }

  function smallTargets(least) {
    const areaOf = (one) => (["checkbox", "radio"].includes(one.type) ? one.closest("label") ?? one : one);
    return all(TARGETS)
      .filter((one) => !one.matches(".unseen"))
      .map((one) => [one, areaOf(one).getBoundingClientRect()])
      .filter(([, { width, height }]) => height < least - 0.5 || width < 24)
      .map(([one, { width, height }]) => `small under a thumb: ${width | 0}x${height | 0} ${name(one)}`);
  }

  // By how much things have jumped while the page came, before anybody did anything. No times are compared: a test may
  // have moved the clock of the page
  let moved = 0;
  let isTouched = false;
  const add = (entries) => isTouched || entries.forEach(({ value }) => (moved += value));
  const shifts = new PerformanceObserver((list) => add(list.getEntries()));
  shifts.observe({ type: "layout-shift", buffered: true });
  const touch = () => {
    add(shifts.takeRecords());
    isTouched = true;
  };
  for (const deed of ["pointerdown", "keydown"]) addEventListener(deed, touch, { capture: true });

  function jumped() {
    add(shifts.takeRecords());
    return moved;
  }

  // Whether anything has been moved by a script, or is moved by a style now
  let isMoved = false;
  const animate = Element.prototype.animate;
  Element.prototype.animate = function (...how) {
    isMoved = true;
    return animate.apply(this, how);
  };
  const hasMoved = () => isMoved || document.getAnimations().length > 0;

  return { boxes, hasMoved, jumped, metByTab, smallTargets, unseenInForcedColours, turn, watchTab };
})();
