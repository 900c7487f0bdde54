#!/usr/bin/env node
// Makes tests/Cluster.Tests/Deployment/schemas.json: of every kind that deploy/k8s uses, which fields there are, which must be there,
// and which words a field takes. The tests read that file, so nobody needs Node or the network to run them.
//
//   node eng/kubernetes-schemas.mjs        needs npm and a registry that has the packages below
//
// Sources: the type declarations of the npm packages (MIT), which their author generates from Kubernetes' OpenAPI document and from the
// Prometheus operator's custom resource definitions; and, for JobSet and Kueue, which no package has, the table below, from the Go types
// of github.com/kubernetes-sigs/jobset (v1alpha2) and github.com/kubernetes-sigs/kueue (v1beta2), both Apache-2.0.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const packages = { "kubernetes-models": "4.5.1", "@kubernetes-models/apimachinery": "2.2.0", "@kubernetes-models/prometheus-operator": "6.0.0" };

const kinds = [
  ...["ConfigMap", "Namespace", "PersistentVolumeClaim", "Secret", "Service", "ServiceAccount"].map(kind => ["v1", kind]),
  ["apps/v1", "Deployment"], ["apps/v1", "StatefulSet"], ["batch/v1", "JobTemplateSpec"], ["policy/v1", "PodDisruptionBudget"],
  ["networking.k8s.io/v1", "Ingress"], ["networking.k8s.io/v1", "NetworkPolicy"],
  ["monitoring.coreos.com/v1", "PrometheusRule"], ["monitoring.coreos.com/v1", "ServiceMonitor"],
];

// A field is its type, with ! where it must be there: a name, [name] for a list, {name} for a map, "word|word" for words.
const others = {
  "jobset.x-k8s.io/v1alpha2/JobSet": { apiVersion: "jobset.x-k8s.io/v1alpha2|!", kind: "JobSet|!", metadata: "v1/ObjectMeta", spec: "JobSetSpec" },
  JobSetSpec: { suspend: "", failurePolicy: "JobSetFailurePolicy", replicatedJobs: "[ReplicatedJob]" },
  JobSetFailurePolicy: { maxRestarts: "" },
  ReplicatedJob: { name: "!", template: "batch/v1/JobTemplateSpec!", replicas: "" },
  "kueue.x-k8s.io/v1beta2/ResourceFlavor": { apiVersion: "kueue.x-k8s.io/v1beta2|!", kind: "ResourceFlavor|!", metadata: "v1/ObjectMeta", spec: "ResourceFlavorSpec" },
  ResourceFlavorSpec: { nodeLabels: "{}", tolerations: "[v1/Toleration]" },
  "kueue.x-k8s.io/v1beta2/ClusterQueue": { apiVersion: "kueue.x-k8s.io/v1beta2|!", kind: "ClusterQueue|!", metadata: "v1/ObjectMeta", spec: "ClusterQueueSpec" },
  ClusterQueueSpec: { namespaceSelector: "v1/LabelSelector", queueingStrategy: "StrictFIFO|BestEffortFIFO", preemption: "ClusterQueuePreemption", resourceGroups: "[ResourceGroup]" },
  ClusterQueuePreemption: { withinClusterQueue: "Never|LowerPriority|LowerOrNewerEqualPriority" },
  ResourceGroup: { coveredResources: "[]!", flavors: "[FlavorQuotas]!" },
  FlavorQuotas: { name: "!", resources: "[ResourceQuota]!" },
  ResourceQuota: { name: "!", nominalQuota: "!" },
  "kueue.x-k8s.io/v1beta2/LocalQueue": { apiVersion: "kueue.x-k8s.io/v1beta2|!", kind: "LocalQueue|!", metadata: "v1/ObjectMeta", spec: "LocalQueueSpec" },
  LocalQueueSpec: { clusterQueue: "" },
};

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const folder = mkdtempSync(join(tmpdir(), "schemas-"));
const modules = join(folder, "node_modules");
const types = {};

function fileOf(importer, path) {
  const at = path.startsWith(".") ? join(dirname(importer), path.replace(/\.js$/, "")) : join(modules, path);
  return existsSync(`${at}.d.ts`) ? `${at}.d.ts` : null;
}

// v1/Container, apps/v1/DeploymentSpec: as the packages lay them out.
function nameOf(file) {
  return file.slice(modules.length + 1).replace(/^(@kubernetes-models\/)?[^/]+\//, "").replace("apis/meta/", "").replace(/\.d\.ts$/, "");
}

function read(file) {
  const name = nameOf(file);
  if (name in types) { return name; }
  const text = readFileSync(file, "utf8");
  const imports = new Map([...text.matchAll(/import \{([^}]*)\} from "([^"]+)"/g)].flatMap(([, names, path]) => names.split(",").map(one => [one.trim(), fileOf(file, path)])));
  const body = text.match(/export interface \w+[^{]*\{\n([\s\S]*?)\n\}/)?.[1];
  if (body === undefined) { types[name] = words(text) ?? ""; return name; }
  const fields = types[name] = {}; // Without the status of a kind, which no manifest sets.
  const plain = body.replace(/\/\*[\s\S]*?\*\//g, "");
  for (const [, field, optional, type] of plain.matchAll(/^ {4}"([^"]+)"(\??): ([\s\S]*?);$/gm)) {
    if (field !== "status" || !("kind" in fields)) { fields[field] = shape(type, imports) + (optional ? "" : "!"); }
  }
  return name;
}

// type X = "a" | "b"
const words = text => text.match(/export type \w+ = ("[^;]*");/)?.[1].replace(/["\s]/g, "");

function shape(type, imports) {
  if (/^"/.test(type)) { return type.replace(/["\s]/g, "") + (type.includes("|") ? "" : "|"); }
  const list = type.match(/^Array<([\s\S]*)>$/)?.[1] ?? type.match(/^\(?([\s\S]*?)\)?\[\]$/)?.[1];
  if (list) { return `[${shape(list, imports)}]`; }
  const map = type.match(/^\{\s*\[key: string\]: ([\s\S]*?);?\s*\}$/)?.[1];
  if (map) { return `{${shape(map, imports)}}`; }
  const file = imports.get(type);
  if (!file) { return ""; }
  const name = read(file);
  return typeof types[name] === "string" ? types[name] : Object.keys(types[name]).length ? name : "";
}

try {
  execFileSync("npm", ["i", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", ...Object.entries(packages).map(([name, version]) => `${name}@${version}`)], { stdio: "inherit" });
  for (const [version, kind] of kinds) {
    const base = version.startsWith("monitoring") ? "@kubernetes-models/prometheus-operator" : "kubernetes-models";
    read(join(modules, base, version, `${kind}.d.ts`));
  }
  Object.assign(types, others);
  const made = Object.keys(types).filter(name => typeof types[name] === "object" && Object.keys(types[name]).length).sort();
  const lines = made.map(name => `    ${JSON.stringify(name)}: ${JSON.stringify(types[name])}`);
  const head = {
    source: Object.entries(packages).map(([name, version]) => `npm ${name} ${version}`),
    licence: "MIT: Copyright (c) Tommy Chen. Generated by the packages' author from Kubernetes' OpenAPI document and the Prometheus operator's definitions, both Apache-2.0. JobSet and Kueue: see the script",
    script: "eng/kubernetes-schemas.mjs",
    fields: "a type's fields; a type is a name, [type], {type}, words with | between, or empty for a plain value; ! must be there",
  };
  const text = JSON.stringify({ ...head, types: {} }, null, 2).replace('"types": {}', `"types": {\n${lines.join(",\n")}\n  }`);
  writeFileSync(join(root, "tests/Cluster.Tests/Deployment/schemas.json"), `${text}\n`);
  console.log(`${made.length} types`);
} finally {
  rmSync(folder, { recursive: true });
}
