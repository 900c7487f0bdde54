// How values become colours in a grid: by size, or by kind.
import { count, h, number } from "../dom.js";
import { colourAt, isNumber, scaleOf } from "./scales.js";

/** Numbers: the legend is a strip with what its ends and its middle stand for. */
export function bySize(rows) {
  const scale = scaleOf(rows.flatMap(row => row.values));
  return {
    colour: value => isNumber(value) && scale ? colourAt(scale.share(value)) : null,
    words: value => isNumber(value) ? number(value) : "nothing was told",
    legend: scale
      ? [h("span", {}, number(scale.low)), h("span", { class: "ramp", "aria-hidden": "true" }), h("span", {}, number(scale.high)), h("span", { class: "soft" }, `middle ${number(scale.valueAt(0.5))}${scale.isLog ? ", logarithmic" : ""}`)]
      : [],
    columns: ["#newest", "#least", "#mean", "#greatest"],
    summary(row) {
      const values = row.values.filter(isNumber);
      return [values.at(-1), Math.min(...values), values.reduce((sum, value) => sum + value, 0) / values.length, Math.max(...values)]
        .map(value => values.length > 0 ? number(value) : "–");
    },
  };
}

/** Kinds: { name: [colour of the sheet, words] }. What is no kind has no colour. */
export function byKind(kinds, otherwise) {
  return rows => ({
    colour: (value, style) => kinds[value] ? style.getPropertyValue(kinds[value][0]) : null,
    words: value => kinds[value]?.[1] ?? otherwise,
    legend: Object.entries(kinds).map(([name, [, words]]) => h("span", { class: "key" }, h("span", { class: `swatch ${name}`, "aria-hidden": "true" }), words)),
    columns: Object.values(kinds).map(([, words]) => `#${words}`),
    summary: row => Object.keys(kinds).map(name => count(row.values.filter(value => value === name).length)),
  });
}
