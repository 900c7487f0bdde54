// Curves over rounds, drawn by uPlot on a canvas.
import { h, number } from "./dom.js";

const Colours = ["#2f6fde", "#d9642c", "#2a9d63", "#a04bc0", "#c2972b", "#d13d6b", "#3aa6b9", "#7a6a5a", "#6b8e23", "#8080ff"];

/** Below so many rounds each is a dot, since a single one is no line. */
const FewPoints = 60;

/** Digits behind the point that a step between ticks has: 2 for 0.25. */
function digits(step) {
  for (let count = 0; count < 12; count++) {
    const scaled = step * 10 ** count;
    if (Math.abs(scaled - Math.round(scaled)) <= 1e-6 * scaled) return count;
  }

  return 12;
}

/** What upright lines mean: the colour of the sheet, and whether they are broken. */
const Marks = { bad: ["--bad", [4, 4]], stage: ["--soft", [2, 4]], now: ["--accent", []] };

/**
 * A chart that is fed with columns: draw(rounds, [{ label, values }], options). The legend shows the values under the pointer;
 * a click on a name hides its curve. Of the options, `marks` are upright lines { round, kind }, `band` names the two curves between
 * which it is shaded, and `isGapped` keeps a curve apart where it has no value; a column with `isPoint` is drawn as points alone.
 */
export function chart(title, signal, { isLog = false } = {}) {
  const place = h("div", { class: "chart" });
  const log = h("input", { type: "checkbox", onchange: () => { logarithmic = log.checked; made = null; paint(); } });
  log.checked = isLog;
  let logarithmic = isLog;
  const box = h("section", { class: "card", "data-testid": `chart-${title.toLowerCase().replaceAll(" ", "-")}` },
    h("div", { class: "row between" }, h("h2", {}, title), h("label", { class: "inline" }, log, "log scale")), place);
  let plot = null, made = null, data = null, wanted = false;

  const again = () => { made = null; paint(); };
  const observer = new ResizeObserver(() => plot?.setSize(size()));
  observer.observe(place);
  const night = matchMedia("(prefers-color-scheme: dark)");
  night.addEventListener("change", again);
  signal.addEventListener("abort", () => {
    observer.disconnect();
    night.removeEventListener("change", again);
    plot?.destroy();
  });

  const size = () => ({ width: Math.max(200, place.clientWidth), height: 240 });

  function paint() {
    wanted = false;
    if (!data || signal.aborted || !place.isConnected) return;
    const shape = data.series.map(one => one.label).join("\n") + logarithmic + (data.rounds.length < FewPoints);
    const columns = [data.rounds, ...data.series.map(one => one.values.map(value => (logarithmic && !(value > 0)) || typeof value === "string" ? null : value))];
    if (made === shape) {
      plot.setData(columns);
      return;
    }

    plot?.destroy();
    place.replaceChildren();
    plot = new uPlot(options(), columns, place);
    made = shape;
  }

  function options() {
    const style = getComputedStyle(document.documentElement);
    const [soft, line] = [style.getPropertyValue("--soft"), style.getPropertyValue("--line")];
    const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
    return {
      ...size(),
      scales: { x: { time: false }, y: logarithmic ? { distr: 3 } : {} },
      axes: [{ ...axis, label: "round", labelSize: 20 }, { ...axis, size: 88, values: (_, ticks, __, ___, step) => ticks.map(tick => label(tick, step)) }],
      series: [{ label: "round" }, ...data.series.map((one, i) => ({ label: one.label, stroke: Colours[i % Colours.length], width: 1.5, spanGaps: !data.isGapped, points: { show: one.isPoint || data.rounds.length < FewPoints, size: one.isPoint ? 11 : 5 } }))],
      bands: data.band ? [{ series: data.band.map(place => place + 1), fill: "rgb(47 111 222 / 0.15)" }] : [],
      hooks: { draw: [drawMarks] },
    };
  }

  /** With as many digits as tell one tick from the next. */
  function label(tick, step) {
    if (tick === null || tick === undefined) return "";
    if (logarithmic || tick === 0 || Math.abs(tick) >= 1e6) return number(tick);
    return tick.toLocaleString("en", { minimumFractionDigits: digits(step), maximumFractionDigits: digits(step) });
  }

  /** Upright lines where something happened, such as a recovery, or where the job is now. */
  function drawMarks(u) {
    u.ctx.save();
    const style = getComputedStyle(document.documentElement);
    for (const { round, kind } of data.marks) {
      u.ctx.strokeStyle = style.getPropertyValue(Marks[kind][0]);
      u.ctx.setLineDash(Marks[kind][1]);
      const x = u.valToPos(round, "x", true);
      if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
      u.ctx.beginPath();
      u.ctx.moveTo(x, u.bbox.top);
      u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
      u.ctx.stroke();
    }

    u.ctx.restore();
  }

  return {
    box,
    draw(rounds, series, { marks = [], band = null, isGapped = false } = {}) {
      data = { rounds, series, marks, band, isGapped };
      box.dataset.points = rounds.length;
      if (!wanted) requestAnimationFrame(paint);
      wanted = true;
    },
  };
}
