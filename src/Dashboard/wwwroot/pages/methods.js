// What only one method has: shown when a job's values say that it is of that method.
import { get } from "../api.js";
import { chart } from "../chart.js";
import { card, count, empty, fill, h, number, table } from "../dom.js";

export function methodPanels({ path, signal, curves, problem }) {
  const box = h("div", { class: "page" });
  const panels = [layers, federated, continual].map(make => ({ make, made: null }));
  return {
    box,
    draw(job) {
      for (const panel of panels) {
        panel.made ??= panel.make({ path, signal, curves, problem, job });
        if (panel.made && !panel.made.box.isConnected) box.append(panel.made.box);
        panel.made?.draw(job);
      }
    },
  };
}

/** Forward-forward: each layer's goodness of right and wrong samples, and its own loss. */
function layers({ signal, curves }) {
  const named = suffix => curves.names().filter(name => /^layer\d+\./.test(name) && name.endsWith(`.${suffix}`));
  if (!curves.names().some(name => /^layer\d+\./.test(name))) return null;
  const kinds = [["Layer goodness positive", "goodnessPositive"], ["Layer goodness negative", "goodnessNegative"], ["Layer loss", "loss"], ["Layer accuracy", "accuracy"]];
  const plots = kinds.map(([title, suffix]) => ({ suffix, plot: chart(title, signal) }));
  const box = h("div", { class: "columns", "data-testid": "layers" });
  return {
    box,
    draw() {
      const shown = plots.filter(one => named(one.suffix).length > 0);
      if (box.children.length !== shown.length) fill(box, shown.map(one => one.plot.box));
      for (const { suffix, plot } of shown) plot.draw(curves.rounds, named(suffix).map(name => curves.column(name, name.split(".")[0])));
    },
  };
}

/** FedHyper: both learning rates, the spread of the clients', the inner product that moves them, and who took part. */
function federated({ path, signal, curves, problem }) {
  if (!curves.has("globalLr")) return null;
  const Rates = ["globalLr", "localLrMin", "localLrMean", "localLrMax"];
  const rates = chart("Alpha and beta", signal);
  const products = chart("Update product", signal);
  const clients = chart("Clients", signal);
  const grid = h("div", {}, empty("Everybody has taken part in every round."));
  const box = h("div", { class: "page" }, h("div", { class: "columns" }, rates.box, products.box, clients.box, card("Who was missing", grid)));
  let asked = -1;
  return {
    box,
    draw(job) {
      const labels = { globalLr: "alpha", localLrMin: "beta, least", localLrMean: "beta, mean", localLrMax: "beta, greatest" };
      rates.draw(curves.rounds, Rates.filter(name => curves.has(name)).map(name => curves.column(name, labels[name])));
      const product = curves.has("updateCosine") ? "updateCosine" : "updateProduct";
      if (curves.has(product)) products.draw(curves.rounds, [curves.column(product, product === "updateCosine" ? "cosine of successive updates" : "inner product")]);
      clients.draw(curves.rounds, ["clients", "clientsLate", "clientsAbsent", "clientsLeftOut"].filter(name => curves.has(name)).map(name => curves.column(name)));
      if (Math.floor(job.round / 10) === asked) return;
      asked = Math.floor(job.round / 10);
      get(`${path}/participation?count=500`, signal).then(page => fill(grid, participation(page)), problem);
    },
  };
}

function participation(page) {
  if (page.clients.length === 0) return empty("Everybody has taken part in every round.");
  return [
    h("p", { class: "hint" }, `${count(page.recorded)} rounds did without somebody${page.revised > 0 ? `; ${count(page.revised)} were decided anew` : ""}.`),
    table(["client", "#late", "#absent", "#last round"], page.clients.slice(0, 50).map(one => [one.client, count(one.late), count(one.absent), count(one.lastRound)])),
  ];
}

/** Continual pre-training: trunk and releases, and what was forgotten. */
function continual({ path, signal, problem, job }) {
  if (!/^method:\s*continual\s*$/m.test(job.submission?.specText ?? "")) return null;
  const tree = h("div", {}, empty("No milestone yet: the first stage's end makes one."));
  const matrix = h("div", {}, empty("It is made when the first stage has ended."));
  const box = h("div", { class: "columns", "data-testid": "lineage" }, card("Lineage", tree), card("Forgetting: loss on each stage's data after each stage", matrix));
  let asked = null;
  return {
    box,
    draw(now) {
      const due = `${now.checkpoint} ${now.state} ${now.orders.length}`;
      if (due === asked) return;
      asked = due;
      get(`${path}/lineage`, signal).then(view => {
        if (view.checkpoints.length > 0) {
          fill(tree, table(["checkpoint", "kind", "stage", "release", "follows"], view.checkpoints.map(one => [one.name, one.node.kind, one.node.stage ?? "", one.node.release ?? "", one.parent ?? "the beginning"])));
        }

        if (view.matrix) fill(matrix, heat(view.matrix));
      }, problem);
    },
  };
}

/** Darker is worse, within each column: a data set has its own scale. */
function heat({ stages, after, losses }) {
  const finite = value => typeof value === "number";
  const range = stages.map((_, j) => losses.map(row => row[j]).filter(finite)).map(column => [Math.min(...column), Math.max(...column)]);
  return table(["after", ...stages.map(stage => `#${stage}`)], losses.map((row, i) => [
    `${stages[i]} (${after[i]})`,
    ...row.map((value, j) => {
      const cell = h("td", { class: "number" }, number(value));
      const share = finite(value) && range[j][1] > range[j][0] ? (value - range[j][0]) / (range[j][1] - range[j][0]) : 0;
      cell.style.background = `color-mix(in srgb, var(--bad) ${Math.round(40 * share)}%, transparent)`;
      return cell;
    }),
  ]));
}
