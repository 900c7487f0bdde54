// Continual pre-training: trunk and releases, what was forgotten, and where the job is on its schedule.
import { get } from "../api.js";
import { chart } from "../chart.js";
import { card, count, empty, fill, h, number, table } from "../dom.js";
import { anchor, Kinds, lineageGraph } from "../draw/graph.js";
import { MostNodes } from "../draw/lineage.js";
import { isNumber } from "../draw/scales.js";
import { planOf } from "./schedule.js";

export function continual({ path, signal, problem, job }) {
  if (!/^method:\s*continual\s*$/m.test(job.submission?.specText ?? "")) return null;
  const tree = h("div", {}, empty("No state is kept yet: the first checkpoint makes one, and the end of the first stage at the latest."));
  const matrix = h("div", {}, empty("It is made when the first stage has ended."));
  const plan = chart("Schedule", signal);
  const planned = h("p", { class: "hint", role: "status" });
  const box = h("div", { class: "page", "data-testid": "lineage" }, card("Lineage", tree), plan.box, card("Forgetting: loss on each stage's data after each stage", matrix));
  let asked = null, schedule = null;

  function drawPlan(round) {
    if (!schedule) return;
    if (!planned.isConnected) plan.box.append(planned);
    const { rounds, series, marks, words } = planOf(schedule, round);
    plan.draw(rounds, series, { marks, isGapped: true });
    planned.textContent = words;
  }

  return {
    box,
    draw(now) {
      drawPlan(now.round);
      const due = `${now.checkpoint} ${now.state} ${now.orders.length}`;
      if (due === asked) return;
      asked = due;
      get(`${path}/lineage`, signal).then(view => {
        schedule = view.schedule;
        drawPlan(now.round);
        if (view.checkpoints.length > 0) fill(tree, treeOf(view));
        if (view.matrix) fill(matrix, matrixOf(view.matrix));
      }, problem);
    },
  };
}

function treeOf(view) {
  const toCome = view.stages.filter(stage => !view.checkpoints.some(one => one.node.stage === stage));
  return [
    view.checkpoints.length > MostNodes ? h("p", { class: "hint" }, `The newest ${MostNodes} of ${count(view.checkpoints.length)} states; the table has all.`) : null,
    lineageGraph(view.checkpoints, open),
    toCome.length > 0 ? h("p", { class: "hint" }, `To come: ${toCome.join(", ")}.`) : null,
    h("details", {}, h("summary", {}, "As a table"),
      table(["checkpoint", "kind", "stage", "release", "#update", "follows"], view.checkpoints.map(one => [
        one.job ? h("a", { href: `/jobs/${encodeURIComponent(one.job)}` }, `${one.job}, ${one.name}`) : h("a", { href: `#${anchor(one)}`, onclick: event => { event.preventDefault(); open(one); } }, one.name),
        Kinds[one.node.kind] ?? one.node.kind, one.node.stage ?? "", one.node.release ?? "",
        `${count(one.node.step)}${one.node.branchStep > 0 ? ` + ${count(one.node.branchStep)}` : ""}`, one.parent ?? "the beginning"]))),
  ];
}

/** Goes to the checkpoint's row. */
function open(checkpoint) {
  const row = document.getElementById(anchor(checkpoint));
  if (!row) return;
  row.scrollIntoView({ block: "center" });
  row.focus({ preventScroll: true });
}

/** Redder is worse, within each column: a data set has its own scale. */
function matrixOf({ stages, after, losses, accuracies }) {
  const hasAccuracies = accuracies.some(row => row.some(isNumber));
  return [
    h("p", { class: "hint" }, "A column is one data set: the redder, the worse the model is on it than it was at its best. Read down a column to see what later stages have cost."),
    heat(stages, after, losses, value => value, number),
    hasAccuracies ? [h("h3", {}, "Accuracy, percent"), heat(stages, after, accuracies, value => -value, number)] : [],
  ].flat();
}

/** @param {(value: number) => number} badness what is larger is worse */
function heat(stages, after, values, badness, words) {
  const range = stages.map((_, j) => values.map(row => row[j]).filter(isNumber).map(badness)).map(column => [Math.min(...column), Math.max(...column)]);
  return table(["after", ...stages.map(stage => `#${stage}`)], values.map((row, i) => [
    `${stages[i]} (${after[i]})`,
    ...row.map((value, j) => {
      const cell = h("td", { class: "number" }, isNumber(value) ? words(value) : "–");
      const share = isNumber(value) && range[j][1] > range[j][0] ? (badness(value) - range[j][0]) / (range[j][1] - range[j][0]) : 0;
      cell.style.background = `color-mix(in srgb, var(--bad) ${Math.round(45 * share)}%, transparent)`;
      return cell;
    }),
  ]));
}
