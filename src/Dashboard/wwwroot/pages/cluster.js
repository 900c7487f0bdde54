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
      : table(["job", "since", "why it waits"], queue.jobs.map(job => [link(job), new Date(job.submitted).toLocaleString(), words(job.reason)])));
    fill(workers, pool.workers.length === 0
      ? empty("There are no workers. Start one on any machine that reaches the gateway: ", h("code", {}, `cluster trainer --Cluster:Gateway ${cluster.gateway}`))
      : table(["worker", "does", "address", "#cores", "#GPUs", "#memory", "labels", ""], pool.workers.map(view => workerRow(view, isAdmin, problem))));
  }, problem);
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
