// A grid of coloured cells: a row for each name, a column for each round. The pointer, or the arrow keys, tell what a cell is; whoever
// sees no colours has the same as a table.
import { card, count, empty, fill, h, table } from "../dom.js";
import { columnsOf, commonStart, step } from "./scales.js";

const RowHeight = 22, MostColumns = 240;

/**
 * @param {string} title
 * @param {string} what a cell's row is: "layer", "client"
 * @param {string} nothing what to do while there are no cells
 * @param look of the rows: { colour(value), words(value), legend, columns, summary(row) } - `columns` and `summary` make the table
 */
export function grid(title, { what, nothing, look, signal, hint = null }) {
  const names = h("div", { class: "grid-names", "aria-hidden": "true" });
  const canvas = h("canvas", { class: "grid", tabindex: 0, role: "img" });
  const axis = h("div", { class: "grid-axis", "aria-hidden": "true" });
  const told = h("p", { class: "hint grid-told", role: "status" });
  const legend = h("div", { class: "legend" });
  const asTable = h("div");
  const details = h("details", { ontoggle: () => fillTable() }, h("summary", {}, "As a table"), asTable);
  const picture = h("div", { class: "grid-picture" }, names, h("div", {}, canvas, axis));
  const body = h("div", {}, empty(nothing));
  const box = card(title, hint ? h("p", { class: "hint" }, hint) : null, body);
  box.dataset.testid = `grid-${title.toLowerCase().replaceAll(" ", "-")}`;
  const whole = [legend, picture, told, details];
  let data = null, shown = null, drawn = null, at = null, wanted = false;

  const again = () => { if (!wanted) requestAnimationFrame(paint); wanted = true; };
  const observer = new ResizeObserver(again);
  observer.observe(canvas);
  const night = matchMedia("(prefers-color-scheme: dark)");
  night.addEventListener("change", again);
  signal.addEventListener("abort", () => {
    observer.disconnect();
    night.removeEventListener("change", again);
  });

  canvas.addEventListener("pointermove", event => tell(cellUnder(event)));
  canvas.addEventListener("pointerdown", event => tell(cellUnder(event)));
  canvas.addEventListener("pointerleave", () => { if (document.activeElement !== canvas) tell(null); });
  canvas.addEventListener("focus", () => tell(at ?? { row: 0, column: data.rounds.length - 1 }));
  canvas.addEventListener("blur", () => tell(null));
  canvas.addEventListener("keydown", event => {
    const to = at && step(event.key, at, data.rows.length, data.rounds.length);
    if (!to) return;
    event.preventDefault();
    tell(to);
  });

  function fillTable() {
    if (details.open) fill(asTable, table([what, ...shown.columns], data.rows.map(row => [row.name, ...shown.summary(row)])));
  }

  function cellUnder(event) {
    const area = canvas.getBoundingClientRect();
    const [row, column] = [Math.floor((event.clientY - area.top) / RowHeight), Math.floor((event.clientX - area.left) / area.width * data.rounds.length)];
    return { row: Math.min(data.rows.length - 1, Math.max(0, row)), column: Math.min(data.rounds.length - 1, Math.max(0, column)) };
  }

  function tell(cell) {
    at = cell;
    told.textContent = cell
      ? `${data.rows[cell.row].name}, round ${count(data.rounds[cell.column])}: ${shown.words(data.rows[cell.row].values[cell.column])}`
      : `Point at a cell, or go there with the arrow keys, to read its ${what}, round and value.`;
    again();
  }

  function paint() {
    wanted = false;
    if (!data || signal.aborted || !canvas.isConnected) return;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.parentElement.clientWidth, data.rows.length * RowHeight];
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
      canvas.style.height = `${height}px`;
    }

    const pen = canvas.getContext("2d");
    const style = getComputedStyle(document.documentElement);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = style.getPropertyValue("--back");
    pen.fillRect(0, 0, width, height);
    const each = width / data.rounds.length;
    const gap = each >= 6 ? 1 : 0;
    data.rows.forEach((row, y) => row.values.forEach((value, x) => {
      const colour = shown.colour(value, style);
      if (!colour) return;
      pen.fillStyle = colour;
      pen.fillRect(x * each, y * RowHeight, Math.max(0.5, each - gap) + (gap ? 0 : 0.5), RowHeight - 1);
    }));
    if (at) {
      pen.strokeStyle = style.getPropertyValue("--text");
      pen.lineWidth = 2;
      pen.strokeRect(at.column * each - 1, at.row * RowHeight - 1, Math.max(4, each) + 1, RowHeight + 1);
    }
  }

  return {
    box,
    /** @param {number[]} rounds rising @param {{ name: string, values: any[] }[]} rows */
    draw(rounds, rows) {
      const now = `${rounds.length} ${rounds.at(-1)} ${rows.length}`;
      if (now === drawn) return;
      drawn = now;
      const columns = columnsOf(rounds, rows, MostColumns);
      box.dataset.cells = columns.rounds.length * rows.length;
      if (columns.rounds.length === 0) return;
      data = columns;
      shown = look(columns.rows);
      if (!picture.isConnected) {
        fill(body, whole);
        tell(null);
      }

      const start = commonStart(rows.map(row => row.name));
      fill(names, rows.map(row => h("div", { title: row.name }, row.name.slice(start.length))));
      const [first, last] = [columns.rounds[0], columns.rounds.at(-1)];
      fill(axis, h("span", {}, `round ${count(first)}`), first === last ? null : h("span", {}, count(last)));
      fill(legend, shown.legend);
      canvas.setAttribute("aria-label", `${title}: ${rows.length} rows, rounds ${count(first)} to ${count(last)}. The arrow keys go from cell to cell; below, the same as a table.`);
      fillTable();
      if (at) at = { row: Math.min(at.row, rows.length - 1), column: Math.min(at.column, columns.rounds.length - 1) };
      again();
    },
  };
}
