// Forward-forward: each layer's goodness of right and wrong samples, its own loss and accuracy, and what waits before it.
import { card, empty, fill, h } from "../dom.js";
import { chart } from "../chart.js";

const Kinds = [
  ["Layer goodness positive", "goodnessPositive"], ["Layer goodness negative", "goodnessNegative"], ["Layer loss", "loss"], ["Layer accuracy", "accuracy"],
  ["Layer queue depth", "queue"],
];

export function layers({ signal, curves, job }) {
  const isLayered = name => /^layer\d+\./.test(name);
  if (!/^method:\s*forwardForward\b/m.test(job.submission?.specText ?? "") && !curves.names().some(isLayered)) return null;
  const named = suffix => curves.names().filter(name => isLayered(name) && name.endsWith(`.${suffix}`));
  const plots = Kinds.map(([title, suffix]) => ({ suffix, plot: chart(title, signal) }));
  const box = h("div", { class: "columns", "data-testid": "layers" }, card("Layers", empty("The layers' curves come with the first round that is committed. The reason above says what the job waits for.")));
  return {
    box,
    draw() {
      const shown = plots.filter(one => named(one.suffix).length > 0);
      if (shown.length > 0 && (box.children.length !== shown.length || box.firstChild !== shown[0].plot.box)) fill(box, shown.map(one => one.plot.box));
      for (const { suffix, plot } of shown) plot.draw(curves.rounds, named(suffix).map(name => curves.column(name, name.split(".")[0].replace("layer", "layer "))), { isGapped: suffix === "queue" });
    },
  };
}
