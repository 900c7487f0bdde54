// Several jobs in one chart for each value that they have in common.
import { get, poll } from "../api.js";
import { chart } from "../chart.js";
import { card, chip, empty, fill, h, number, table } from "../dom.js";
import { Curves } from "../curves.js";

const MaxJobs = 10;

export async function comparePage({ place, signal, problem, go }) {
  const ids = (new URLSearchParams(location.search).get("jobs") ?? "").split(",").filter(Boolean).slice(0, MaxJobs);
  const input = h("input", { id: "jobs", size: 50, placeholder: "ids, with commas between", value: ids.join(", ") });
  const form = h("form", {
    class: "row", onsubmit: event => {
      event.preventDefault();
      go(`/compare?jobs=${input.value.split(",").map(text => encodeURIComponent(text.trim())).filter(Boolean).join(",")}`);
    },
  }, h("label", { class: "inline" }, "Jobs", input), h("button", { class: "primary" }, "Compare"));
  const body = h("div", { class: "page" });
  fill(place, h("h1", {}, "Compare jobs"), card(null, form, h("p", { class: "hint" }, `At most ${MaxJobs}. They can also be chosen in the `, h("a", { href: "/jobs" }, "list of jobs"), ".")), body);
  if (ids.length === 0) {
    fill(body, card(null, empty("Nothing is chosen. Tick jobs in the ", h("a", { href: "/jobs" }, "list"), " and press Compare, or type ids above.")));
    return;
  }

  const curves = new Map(ids.map(id => [id, new Curves(id)]));
  const value = h("select", { id: "value", onchange: () => draw() });
  const plot = chart("Comparison", signal);
  const summary = h("div");
  fill(body, card(null, h("label", { class: "inline" }, "Value", value)), plot.box, card("Newest values", summary));
  let views = [];

  function draw() {
    const names = [...new Set([...curves.values()].flatMap(one => one.names()))].sort();
    const now = value.value || (names.includes("loss") ? "loss" : names[0]);
    if (value.options.length !== names.length) fill(value, names.map(name => h("option", { value: name }, name)));
    if (now) value.value = now;
    const rounds = [...new Set([...curves.values()].flatMap(one => one.rounds))].sort((a, b) => a - b);
    const places = new Map(rounds.map((round, i) => [round, i]));
    plot.draw(rounds, [...curves].filter(([, one]) => one.has(now)).map(([id, one]) => {
      const values = new Array(rounds.length).fill(null);
      one.series.get(now).forEach((point, i) => { values[places.get(one.rounds[i])] = point; });
      return { label: id, values };
    }));
    const shown = ["loss", "evalLoss", "evalAccuracy", "samplesPerSecond"].filter(name => names.includes(name));
    fill(summary, table(["job", "state", "#round", ...shown.map(name => `#${name}`)], views.map(view => [
      h("a", { href: `/jobs/${encodeURIComponent(view.jobId)}` }, view.jobId), chip(view.state), number(view.round),
      ...shown.map(name => number(curves.get(view.jobId).newest(name))),
    ])));
  }

  await poll(3000, signal, async () => {
    const isFirst = views.length === 0;
    const active = new Set(views.filter(view => !["Succeeded", "Failed", "Cancelled"].includes(view.state)).map(view => view.jobId));
    views = await Promise.all(ids.map(id => isFirst || active.has(id) ? get(`jobs/${encodeURIComponent(id)}`, signal) : views.find(view => view.jobId === id)));
    await Promise.all(ids.filter(id => isFirst || active.has(id)).map(id => curves.get(id).load(signal)));
    draw();
  }, problem);
}
