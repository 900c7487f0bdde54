// All jobs, newest first, by state and name; some of them can be chosen to be compared.
import { get, poll } from "../api.js";
import { card, chip, count, empty, fill, h, table, words } from "../dom.js";

const States = ["Waiting", "Running", "Pausing", "Paused", "Stopping", "Succeeded", "Failed", "Cancelled"];
const PageSize = 50;

export async function jobsPage({ place, signal, problem, go }) {
  const chosen = new Set();
  let skip = 0;
  let page = { jobs: [], total: 0, next: null };
  const state = h("select", { id: "state", onchange: () => turn(0) }, h("option", { value: "" }, "any state"), States.map(name => h("option", { value: name }, name)));
  const name = h("input", { id: "name", type: "search", placeholder: "part of its id", oninput: () => draw() });
  const compare = h("button", { disabled: true, onclick: () => go(`/compare?jobs=${[...chosen].map(encodeURIComponent).join(",")}`) }, "Compare");
  const [newer, older] = [h("button", { onclick: () => turn(0) }, "Newest"), h("button", { onclick: () => turn(page.next ?? 0) }, "Older")];
  const list = h("div", { "data-testid": "jobs" });
  fill(place, h("h1", {}, "Jobs"), card(null,
    h("div", { class: "row" }, h("label", { class: "inline" }, "State", state), h("label", { class: "inline" }, "Name", name), compare),
    list, h("div", { class: "row" }, newer, older)));

  async function load() {
    page = await get(`jobs?skip=${skip}&count=${PageSize}${state.value ? `&state=${state.value}` : ""}`, signal);
    draw();
  }

  function turn(to) {
    skip = to;
    load().then(() => problem(null), problem);
  }

  function draw() {
    const jobs = page.jobs.filter(job => job.jobId.includes(name.value));
    newer.hidden = skip === 0;
    older.hidden = page.next === null;
    compare.disabled = chosen.size < 1;
    compare.textContent = chosen.size > 0 ? `Compare ${chosen.size}` : "Compare";
    if (list.contains(document.activeElement) && list.dataset.shown === jobs.map(job => job.jobId + job.state + job.round).join()) return;
    list.dataset.shown = jobs.map(job => job.jobId + job.state + job.round).join();
    fill(list, jobs.length > 0
      ? table(["", "job", "state", "#round", "submitted", "why"], jobs.map(row))
      : page.total === 0
        ? empty("No job was ever submitted here. ", h("a", { href: "/submit" }, "Submit the first"), ".")
        : page.next !== null ? empty("None on this page; older ones may be: press Older.") : empty("No job is like that. Choose another state, or clear the name."));
  }

  function row(job) {
    const box = h("input", {
      type: "checkbox", "aria-label": `compare ${job.jobId}`, onchange: () => {
        if (box.checked) chosen.add(job.jobId); else chosen.delete(job.jobId);
        draw();
      },
    });
    box.checked = chosen.has(job.jobId);
    return [
      box, h("a", { href: `/jobs/${encodeURIComponent(job.jobId)}` }, job.jobId), chip(job.state),
      `${count(job.round)}/${job.rounds ? count(job.rounds) : "?"}`, new Date(job.submitted).toLocaleString(), words(job.reason),
    ];
  }

  await poll(3000, signal, load, problem);
}
