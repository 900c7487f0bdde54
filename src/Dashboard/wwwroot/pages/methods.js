// What only one method has: shown when a job's spec or its values say that it is of that method.
import { h } from "../dom.js";
import { continual } from "../panels/continual.js";
import { federated } from "../panels/federated.js";
import { trustRatios } from "../panels/lamb.js";
import { layers } from "../panels/layers.js";

export function methodPanels({ path, signal, curves, problem }) {
  const box = h("div", { class: "page" });
  const panels = [trustRatios, layers, federated, continual].map(make => ({ make, made: null }));
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
