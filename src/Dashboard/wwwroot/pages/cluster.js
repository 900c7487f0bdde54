// The whole cluster at a glance: who computes, what runs, and why each job that waits does.
import { get, poll, post } from "../api.js";
import { bytes, card, chip, count, empty, fill, h, table, words } from "../dom.js";

export async function clusterPage({ place, signal, session, problem }) {
  const cluster = await get("cluster", signal);
  const [running, waiting, workers] = [h("div"), h("div"), h("div")];
  fill(place,
    h("h1", {}, "Cluster"),
    h("p", { class: "soft" }, `Version ${cluster.version}. Workers connect to ${cluster.gateway}.`),
    card("Running", running), card("Waiting", waiting), card("Workers", workers));
  const isAdmin = session.role === "Admin";

  await poll(2000, signal, async () => {
    const [pool, active, queue] = await Promise.all([get("pool", signal), get("jobs?state=Running&count=50", signal), get("jobs?state=Waiting&count=50", signal)]);
    fill(running, active.jobs.length === 0
      ? empty("Nothing runs. ", h("a", { href: "/submit" }, "Submit a job"), ", or look at ", h("a", { href: "/jobs" }, "those that have ended"), ".")
      : table(["job", "progress", "#workers"], active.jobs.map(job => [link(job), progress(job), count(job.workers)])));
    fill(waiting, queue.jobs.length === 0
      ? empty("No job waits.")
      : table(["#place", "job", "since", "why it waits"], inOrder(queue.jobs, pool.queuedJobs).map(([place, job]) => [place, link(job), new Date(job.submitted).toLocaleString(), words(job.reason)])));
    fill(workers, pool.workers.length === 0
      ? empty("There are no workers. Start one on any machine that reaches the gateway: ", h("code", {}, `cluster trainer --Cluster:Gateway ${cluster.gateway}`))
      : [h("p", { class: "soft", "data-testid": "pool" }, poolInWords(pool.workers)), table(["worker", "does", "address", "#cores", "#GPUs", "#memory", "labels", ""], pool.workers.map(view => workerRow(view, isAdmin, problem)))]);
  }, problem);
}

/** Jobs as the pool will serve them; one that is not in its queue, because it is about to begin or to be driven again, has no place. */
function inOrder(jobs, queued) {
  const places = new Map(queued.map((id, i) => [id, i + 1]));
  return jobs.map(job => [places.get(job.jobId) ?? "–", job]).sort(([a], [b]) => (a === "–" ? Infinity : a) - (b === "–" ? Infinity : b) || 0);
}

function poolInWords(workers) {
  const sum = of => workers.reduce((total, { worker }) => total + of(worker), 0);
  const [draining, idle] = [workers.filter(view => view.isDraining).length, workers.filter(view => !view.jobId && !view.isDraining).length];
  return `${count(workers.length)} ${workers.length === 1 ? "worker" : "workers"} with ${count(sum(worker => worker.cores))} cores and ${count(sum(worker => worker.gpus))} GPUs: `
    + `${count(workers.filter(view => view.jobId).length)} lent to jobs, ${count(idle)} idle${draining > 0 ? `, ${count(draining)} drained or draining` : ""}.`;
}

const link = job => h("a", { href: `/jobs/${encodeURIComponent(job.jobId)}` }, job.jobId);

export const progress = job => h("div", {},
  h("progress", { max: Math.max(1, job.rounds), value: Math.min(job.round, Math.max(1, job.rounds)), "aria-label": `round ${job.round} of ${job.rounds}` }),
  h("span", { class: "soft" }, `${count(job.round)} of ${job.rounds ? count(job.rounds) : "?"} rounds`));

function workerRow(view, isAdmin, problem) {
  const { worker, jobId, isDraining } = view;
  const order = isDraining ? "undrain" : "drain";
  return [
    worker.id,
    jobId ? h("span", {}, h("a", { href: `/jobs/${encodeURIComponent(jobId)}` }, jobId), isDraining ? " (draining)" : "") : chip(isDraining ? "drained" : "idle"),
    `${worker.host}:${worker.port}`, count(worker.cores), count(worker.gpus), bytes(worker.memoryBytes),
    [worker.site ? `site ${worker.site}` : "", worker.labels].filter(Boolean).join(", "),
    isAdmin ? h("button", {
      title: isDraining ? "Lets it serve jobs again" : "Takes it from its job after the round, and gives it no other",
      onclick: async event => {
        event.target.disabled = true;
        await post(`workers/${encodeURIComponent(worker.id)}/${order}`).catch(problem);
      },
    }, order) : "",
  ];
}
