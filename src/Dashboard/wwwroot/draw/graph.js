// The picture of a lineage: SVG of our own, each state a link to its checkpoint.
import { count, h, number } from "../dom.js";
import { layout } from "./lineage.js";

/** An element of SVG. Text is text, as everywhere. */
function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) element.setAttribute(name, value);
  element.append(...children.flat().filter(child => child !== null && child !== undefined));
  return element;
}

export const Kinds = { Trunk: "trunk", PreAnneal: "before annealing, kept", Annealing: "annealing", Release: "release", Drift: "drift, kept" };

/** @param {(checkpoint: object) => void} open what a click or Enter on a state of this job does */
export function lineageGraph(checkpoints, open) {
  const plan = layout(checkpoints);
  const picture = s("svg", { class: "graph", width: plan.width, height: plan.height, viewBox: `0 0 ${plan.width} ${plan.height}`, role: "group", "aria-label": "Lineage: trunk above, releases below. Each state is a link to its checkpoint." },
    plan.stages.flatMap(stage => [
      s("rect", { class: "stage", x: stage.x, y: 4, width: stage.width, height: 96, rx: 8 }),
      s("text", { class: "stage-name", x: stage.x + 10, y: 24 }, stage.name),
    ]),
    plan.edges.map(([from, to]) => s("path", { class: to.isBranch ? "edge branch" : "edge", d: path(from, to) })),
    plan.nodes.map(node => state(node, open)));
  return h("div", {},
    h("div", { class: "legend" }, [...new Set(checkpoints.map(one => one.node.kind))].map(kind => h("span", { class: "key" }, s("svg", { width: 18, height: 18, viewBox: "-9 -9 18 18", class: "graph", "aria-hidden": "true" }, shape(kind)), Kinds[kind] ?? kind))),
    h("div", { class: "scroll" }, picture));
}

/** Straight along a line; into another one as a curve. */
function path(from, to) {
  if (from.y === to.y) return `M${from.x} ${from.y}H${to.x}`;
  const middle = from.x === to.x ? from.x + 24 : (from.x + to.x) / 2;
  return `M${from.x} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${to.x} ${to.y}`;
}

function state({ x, y, checkpoint }, open) {
  const { node, job } = checkpoint;
  const name = node.release ?? `update ${count(node.step)}`;
  const scores = Object.entries(node.scores ?? {}).filter(([, score]) => typeof score.loss === "number").map(([set, score]) => `${set} ${number(score.loss)}`);
  const words = [
    `${Kinds[node.kind] ?? node.kind}${node.release ? ` ${node.release}` : ""}, stage ${node.stage}, update ${count(node.step)}${node.branchStep > 0 ? ` + ${count(node.branchStep)}` : ""}, round ${count(checkpoint.round)}`,
    scores.length > 0 ? `loss ${scores.join(", ")}` : null, job ? `of job ${job}` : null,
  ].filter(Boolean).join("; ");
  const link = s("a", { href: job ? `/jobs/${encodeURIComponent(job)}` : `#${anchor(checkpoint)}`, tabindex: 0, "aria-label": words },
    s("title", {}, words),
    s("circle", { class: "hit", cx: x, cy: y, r: 18 }),
    s("g", { transform: `translate(${x} ${y})` }, shape(node.kind)),
    s("text", { class: "node-name", x, y: y + 28 }, name.length > 15 ? `${name.slice(0, 14)}…` : name));
  link.addEventListener("click", event => {
    if (job) return;
    event.preventDefault();
    open(checkpoint);
  });
  return link;
}

function shape(kind) {
  switch (kind) {
    case "Release": return s("rect", { class: "mark release", x: -8, y: -8, width: 16, height: 16, rx: 4 });
    case "PreAnneal": return s("circle", { class: "mark kept", r: 8 });
    case "Drift": return s("path", { class: "mark drift", d: "M0 -9L9 0L0 9L-9 0Z" });
    case "Annealing": return s("circle", { class: "mark annealing", r: 6 });
    default: return s("circle", { class: "mark", r: 6 });
  }
}

/** Of the row that a checkpoint has in the table of checkpoints. */
export const anchor = checkpoint => `checkpoint-${checkpoint.round}`;
