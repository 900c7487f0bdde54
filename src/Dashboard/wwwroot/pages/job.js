// One job, live: how it stands, its curves, what happened to it, its logs, its spec and its checkpoints.
import { get, poll, post, stream } from "../api.js";
import { chart } from "../chart.js";
import { Curves } from "../curves.js";
import { bytes, card, chip, count, empty, facts, fill, h, number, table, time, words } from "../dom.js";
import { anchor } from "../draw/graph.js";
import { methodPanels } from "./methods.js";
import { progress } from "./cluster.js";

const Final = ["Succeeded", "Failed", "Cancelled"];

/** Each chart, and the values that belong in it. */
const Charts = [
  ["Loss", ["loss", "evalLoss"]],
  ["Accuracy", ["accuracy", "evalAccuracy"]],
  ["Learning rate", ["lr"]], // Of a federated job the clients'; its panel has both.
  ["Throughput", ["samplesPerSecond"]],
  ["Gradient norm", ["gradientNorm"]],
];

export async function jobPage({ place, signal, session, problem }, id) {
  const path = `jobs/${encodeURIComponent(id)}`;
  const curves = new Curves(id);
  let [job] = await Promise.all([get(path, signal), curves.load(signal)]);
  let shownCheckpoints = null;
  const spec = job.submission?.specText ?? "";

  const state = h("span");
  const reason = h("p", { class: "soft", "data-testid": "reason" });
  const live = h("span", { class: "soft", role: "status", "data-testid": "live" });
  const buttons = h("div", { class: "row" });
  const [bar, figures, timeline, workers, notices, orders, branches, checkpoints] = Array.from({ length: 8 }, () => h("div"));
  const plots = Charts.map(([title, names]) => ({ names, plot: chart(title, signal) }));
  const charts = h("div", { class: "columns" });
  const panels = methodPanels({ id, path, signal, curves, problem });
  const head = card(null, h("div", { class: "row between" }, h("h1", {}, id, " ", state), live), reason, buttons, bar);
  fill(place, head, charts, panels.box,
    h("div", { class: "columns" }, card("What happened", timeline), card("In numbers", figures, notices)),
    orders, branches, card("Workers", workers), card("Checkpoints", checkpoints), logCard(path, signal), card("Spec", h("pre", { tabindex: 0 }, spec)));

  function draw() {
    fill(state, chip(job.state));
    reason.textContent = job.reason;
    fill(bar, progress(job));
    fill(buttons, ordersFor(job.state, session.role).map(([order, label, kind]) => h("button", { class: kind, onclick: event => ask(order, event.target) }, label)),
      h("a", { href: `/compare?jobs=${encodeURIComponent(id)}` }, "Compare"));
    fill(figures, facts([
      ["trunk", job.submission?.trunk ? jobLink(job.submission.trunk) : null],
      ["loss", number(curves.newest("loss"))], ["evaluated loss", maybe(curves.newest("evalLoss"))], ["evaluated accuracy", maybe(curves.newest("evalAccuracy"))],
      ["samples seen", count(job.samplesSeen)], ["samples a second", number(job.samplesPerSecond)], ["recoveries", h("span", { "data-testid": "recoveries" }, count(job.recoveries))],
      ["rounds skipped", count(job.skippedRounds)], ["generation", count(job.generation)], ["weights", job.weightsSha256 ? h("code", {}, job.weightsSha256) : null],
      ...Object.entries(job.environment),
    ]));
    fill(timeline, job.events.length === 0
      ? empty("Nothing yet.")
      : h("ol", { class: "timeline", "data-testid": "timeline", tabindex: 0 }, [...job.events].reverse().map(one => h("li", { class: one.isRecovery ? "recovery" : null },
        time(one.time), h("span", {}, chip(one.state), one.round > 0 ? h("span", { class: "soft" }, ` round ${count(one.round)}`) : null), one.text))));
    fill(notices, job.notices.length > 0 ? [h("h3", {}, "Notices"), h("ul", {}, job.notices.map(text => h("li", {}, text)))] : []);
    fill(workers, job.workers.length === 0
      ? empty("No worker has computed for it yet. The reason above says what it waits for.")
      : table(["worker", "#rank", "#process", "#leaves computed", "#round"], job.workers.map(one => [one.id, one.rank < 0 ? "left" : one.rank, one.processId, count(one.leavesComputed), count(one.round)])));
    fill(orders, job.orders.length === 0 ? [] : card("Orders", table(["#", "kind", "name", "state", "why"], job.orders.map(one => [one.number, one.kind, one.name, one.state, words(one.reason ?? "")]))));
    fill(branches, job.branches.length === 0 ? [] : card("Releases apart", table(["release", "job"], job.branches.map(one => [one.release, one.refusal ? words(one.refusal) : jobLink(one.jobId)]))));
    drawCharts();
  }

  function drawCharts() {
    const marks = job.events.filter(one => one.isRecovery).map(one => ({ round: one.round, kind: "bad" }));
    const shown = plots.map(({ names, plot }) => ({ plot, here: names.filter(name => curves.has(name)) })).filter(one => one.here.length > 0);
    const boxes = shown.map(one => one.plot.box);
    if (boxes.length === 0) fill(charts, card("Curves", empty("The first round has not ended: curves begin then.")));
    else if (boxes.length !== charts.children.length || boxes.some((box, i) => charts.children[i] !== box)) fill(charts, boxes);
    for (const { plot, here } of shown) plot.draw(curves.rounds, here.map(name => curves.column(name)), { marks });
    panels.draw(job);
  }

  async function ask(order, button) {
    button.disabled = true;
    try {
      const summary = await post(`${path}/${order}`, {}, signal);
      problem(null);
      job = { ...job, state: summary.state, reason: summary.reason };
      draw();
      if (order === "resume") watch();
    } catch (error) {
      problem(error);
      button.disabled = false;
    }
  }

  /** From the newest sample that is drawn, to the job's end. */
  function watch() {
    stream(last => `${path}/events?after=${last ?? curves.lastSample}`, "job", signal, async view => {
      const isEnding = Final.includes(view.state) && !Final.includes(job.state);
      job = { ...view, submission: job.submission };
      if (curves.add(view.samples)) await curves.load(signal).catch(problem);
      draw();
      if (isEnding) await loadCheckpoints().catch(problem);
    }, connection => {
      live.textContent = { live: "live", away: "the connection is away; trying again", ended: "" }[connection];
    });
  }

  async function loadCheckpoints() {
    const kept = await get(`${path}/checkpoints`, signal);
    if (shownCheckpoints === JSON.stringify(kept)) return; // Who reads the table, or has come to a row of it, stays there.
    shownCheckpoints = JSON.stringify(kept);
    fill(checkpoints, kept.length === 0
      ? empty("None is kept yet: the spec says after how many rounds one is, and the last round always leaves one.")
      : table(["#round", "written", "#size", "files", "", "weights"], kept.map(one => [
        count(one.round), one.written ? time(one.written) : "–", bytes(one.bytes),
        h("span", { class: "row" }, one.files.map(file => h("a", { href: `/api/v1/${path}/checkpoints/${one.round}/${file.name}`, download: `${id}-${one.round}-${file.name}`, title: `SHA-256 ${file.sha256}` }, file.name))),
        words(one.problem ?? ""), one.weightsSha256 ? h("code", { title: one.weightsSha256 }, one.weightsSha256.slice(0, 12)) : "–",
      ]), kept.map(anchor)));
  }

  draw();
  watch();
  await poll(5000, signal, loadCheckpoints, problem);
}

const maybe = value => value === undefined ? null : number(value);

function jobLink(id) {
  return h("a", { href: `/jobs/${encodeURIComponent(id)}` }, id);
}

/** What a person may ask of a job in this state. */
function ordersFor(state, role) {
  if (role === "Viewer") return [];
  if (["Waiting", "Running"].includes(state)) return [["pause", "Pause", null], ["cancel", "Cancel", "danger"]];
  if (state === "Pausing") return [["cancel", "Cancel", "danger"]];
  if (state === "Paused") return [["resume", "Resume", "primary"], ["cancel", "Cancel", "danger"]];
  return ["Failed", "Cancelled"].includes(state) ? [["resume", "Resume", "primary"]] : [];
}

/** The logs, read when somebody wants to: an open stream costs the cluster something. */
function logCard(path, signal) {
  const MaxLines = 2000;
  const lines = h("pre", { tabindex: 0, "data-testid": "logs" });
  const hint = h("p", { class: "hint", role: "status" }, "Open to read what the workers wrote.");
  let isOpen = false;
  const details = h("details", {
    ontoggle: () => {
      if (!details.open || isOpen) return;
      isOpen = true;
      hint.textContent = "No line yet.";
      stream(() => `${path}/logs?follow=true`, "log", signal, page => {
        const isAtEnd = lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 4;
        lines.append(...page.lines.map(line => `${line.worker}  ${line.text}\n`));
        while (lines.childNodes.length > MaxLines) lines.firstChild.remove();
        hint.textContent = "";
        if (isAtEnd) lines.scrollTop = lines.scrollHeight;
      }, connection => {
        if (connection === "away") hint.textContent = "The connection is away; trying again.";
        if (connection === "ended" && lines.childNodes.length === 0) hint.textContent = "The workers wrote nothing, or the logs are gone.";
      });
    },
  }, h("summary", {}, "Logs"), hint, lines);
  return h("section", { class: "card" }, details);
}
