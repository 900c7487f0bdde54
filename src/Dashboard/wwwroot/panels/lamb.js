// LAMB and LARS: what each layer's update was multiplied by.
import { h } from "../dom.js";
import { grid } from "../draw/grid.js";
import { bySize } from "../draw/looks.js";

const Prefix = "trustRatio.";

export function trustRatios({ signal, curves, job }) {
  const isLayerwise = /\bkind:\s*(lamb|lars)\b/.test(job.submission?.specText ?? "");
  if (!isLayerwise && !curves.names().some(name => name.startsWith(Prefix))) return null;
  const plot = grid("Trust ratios", {
    signal, what: "layer", look: bySize,
    nothing: "They come with the first round that is committed. The reason above says what the job waits for.",
    hint: "What each layer's update was multiplied by. Biases and normalisation are not adapted, and have none.",
  });
  return {
    box: h("div", { class: "page" }, plot.box),
    draw() {
      plot.draw(curves.rounds, curves.names().filter(name => name.startsWith(Prefix)).map(name => ({ name: name.slice(Prefix.length), values: curves.series.get(name) })));
    },
  };
}
