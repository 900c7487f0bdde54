// A form for a spec, checked while one types by the very reader that the cluster uses.
import { post } from "../api.js";
import { card, fill, h } from "../dom.js";

const Example = `name: digits
method: lamb
model: { kind: mlp, hidden: [256, 128] }
data: { kind: digits }
batch: 512
leaf: 64
epochs: 60
optimizer: { kind: lamb }
scaling: { rule: sqrt, base: { batch: 512, lr: 0.02, warmupEpochs: 2 } }
`;
const Draft = "cluster-draft";
const MaxBytes = 1 << 20;

export async function submitPage({ place, signal, session, go }) {
  const spec = h("textarea", { id: "spec", spellcheck: "false", "aria-describedby": "verdict", value: sessionStorage.getItem(Draft) ?? Example, oninput: () => later() });
  const file = h("input", { id: "file", type: "file", accept: ".yaml,.yml,.txt", onchange: async () => { spec.value = await read(file.files[0]); later(); } });
  const min = h("input", { id: "min", type: "number", min: 1, max: 1024 });
  const max = h("input", { id: "max", type: "number", min: 1, max: 1024 });
  const roots = h("textarea", { id: "roots", rows: 2 });
  roots.style.minHeight = "3.5rem";
  const upload = h("input", { id: "upload", type: "file", onchange: () => send(upload.files[0]), disabled: session.role === "Viewer" });
  const uploaded = h("span", { class: "hint", role: "status", "data-testid": "uploaded" }, "A module, or a text to train on. The spec names it.");
  const button = h("button", { type: "submit", class: "primary", disabled: true }, "Submit");
  const verdict = h("div", { id: "verdict", role: "status", "data-testid": "verdict" });
  // The same form submitted twice, because an answer was lost, is one job.
  let token = newToken();

  const form = h("form", { onsubmit: submit },
    h("div", {}, h("label", { for: "spec" }, "Spec (YAML)"), spec),
    verdict,
    h("div", { class: "row" }, h("label", { class: "inline" }, "or a file", file)),
    h("div", { class: "row" }, h("label", { class: "inline" }, "Workers, at least", min), h("label", { class: "inline" }, "at most", max), h("span", { class: "hint" }, "Empty: as the spec says.")),
    h("details", {}, h("summary", {}, "Where the data are"), h("label", { for: "roots" }, "Folders as the workers see them, one a line"), roots,
      h("div", { class: "row" }, h("label", { class: "inline" }, "Upload a file", upload), uploaded)),
    h("div", { class: "row" }, button, session.role === "Viewer" ? h("span", { class: "hint" }, "Your role, viewer, may check specs and not submit them.") : null));
  fill(place, h("h1", {}, "Submit a job"), card(null, form));

  let timer = 0;
  let latest = 0;
  function later() {
    sessionStorage.setItem(Draft, spec.value);
    token = newToken();
    button.disabled = true;
    latest++; // An answer that is on its way is about what stood here before.
    clearTimeout(timer);
    timer = setTimeout(check, 300);
  }

  async function check() {
    const mine = ++latest;
    try {
      const answer = await post("validate", { spec: spec.value }, signal);
      if (mine !== latest) return;
      if (answer.problems.length > 0) { wrong(answer.problems); return; }
      button.disabled = session.role === "Viewer";
      fill(verdict, h("p", { class: "hint" }, `Good: ${answer.name}, method ${answer.method}. Hash of what determines the answer: `, h("code", {}, answer.specHash.slice(0, 16))));
    } catch (error) {
      if (mine === latest && !signal.aborted) fill(verdict, h("p", { class: "problem" }, error.message));
    }
  }

  function wrong(problems) {
    fill(verdict, h("ul", { class: "problem" }, problems.map(one => h("li", {},
      one.line > 0 ? h("button", { type: "button", onclick: () => jump(one.line) }, `line ${one.line}`) : null,
      ` ${one.key ? `${one.key}: ` : ""}found ${one.found}, allowed: ${one.allowed}`))));
  }

  function jump(line) {
    const lines = spec.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    spec.focus();
    spec.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  }

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    const folders = roots.value.split("\n").map(line => line.trim()).filter(Boolean);
    try {
      const answer = await post("jobs", {
        spec: spec.value, token, ...(min.value ? { minWorkers: Number(min.value) } : {}), ...(max.value ? { maxWorkers: Number(max.value) } : {}), dataRoots: folders,
      }, signal);
      sessionStorage.removeItem(Draft);
      go(`/jobs/${encodeURIComponent(answer.jobId)}`);
    } catch (error) {
      button.disabled = false;
      if (error.problems?.length > 0) wrong(error.problems);
      else fill(verdict, h("p", { class: "problem" }, error.message));
    }
  }

  /** Without the patience of other requests: a large file takes its time. */
  async function send(chosen) {
    if (!chosen) return;
    fill(uploaded, `Uploading ${chosen.name} ...`);
    try {
      const response = await fetch(`/api/v1/files/${encodeURIComponent(chosen.name)}`, { method: "PUT", body: chosen, signal });
      const answer = await response.json().catch(() => null);
      fill(uploaded, response.ok ? h("code", {}, `upload:${answer.name}`) : answer?.detail ?? `The cluster answered ${response.status}.`);
      if (response.ok) later(); // The spec may name it already.
    } catch (error) {
      if (!signal.aborted) fill(uploaded, "The upload broke off. Choose the file once more.");
    }
  }

  async function read(chosen) {
    if (!chosen) return spec.value;
    if (chosen.size <= MaxBytes) return chosen.text();
    fill(verdict, h("p", { class: "problem" }, "The file is larger than 1 MiB, which is what a spec may have."));
    return spec.value;
  }

  await check();
}

const newToken = () => [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, "0")).join("");
