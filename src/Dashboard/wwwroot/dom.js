// Elements without a framework. Text is always text: nothing here, or anywhere, is parsed as HTML.

/** An element: h("a", { href: "/jobs", class: "chip" }, "Jobs"). Attributes that are null or false are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }

  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** Puts the children in the place of what is there. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

export const card = (title, ...children) => h("section", { class: "card" }, title ? h("h2", {}, title) : null, ...children);

export const empty = (...words) => h("p", { class: "empty" }, ...words);

export const chip = state => h("span", { class: `chip ${state}`, "data-testid": "state" }, state);

/** A table that scrolls by itself on a narrow screen. Columns whose name begins with # hold numbers; a row with an id can be gone to. */
export function table(columns, rows, ids = []) {
  const isNumber = columns.map(name => name.startsWith("#"));
  return h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, columns.map((name, i) => h("th", { scope: "col", class: isNumber[i] ? "number" : null }, name.replace("#", ""))))),
    h("tbody", {}, rows.map((cells, row) => h("tr", { id: ids[row], tabindex: ids[row] ? -1 : null }, cells.map((cell, i) => cell instanceof HTMLTableCellElement ? cell : h("td", { class: isNumber[i] ? "number" : null }, cell)))))));
}

export const words = (...text) => h("td", { class: "words" }, ...text);

/** Names and values, without those that are null. */
export function facts(pairs) {
  return h("dl", {}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== "").flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

const whole = new Intl.NumberFormat("en"), fourDigits = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
export const count = value => whole.format(value);

/** Four digits that tell: 0.001234, 12.35, 1,235. */
export function number(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return value; // NaN and the infinities.
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e7)) return value.toExponential(3);
  return fourDigits.format(value);
}

export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}

export const time = text => h("time", { datetime: text, title: text }, new Date(text).toLocaleString());
