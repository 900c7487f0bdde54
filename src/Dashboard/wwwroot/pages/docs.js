// The API for people, drawn from the OpenAPI document that programs read.
import { get } from "../api.js";
import { card, fill, h, table, words } from "../dom.js";

export async function docsPage({ place, signal }) {
  const api = await get("openapi.json", signal);
  const operations = Object.entries(api.paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), ...operation })));
  fill(place,
    h("h1", {}, "The API"),
    card(null, h("p", {}, api.info.description),
      h("p", {}, "Programs read ", h("a", { href: "/api/v1/openapi.json", download: "cluster-openapi.json" }, "the OpenAPI document"), ". A Python program needs no library of ours:"),
      h("pre", {}, `import os, requests\nheaders = {"Authorization": "Bearer " + os.environ["CLUSTER_TOKEN"]}\njob = requests.post("${location.origin}/api/v1/jobs", json={"spec": open("job.yaml").read()}, headers=headers).json()`)),
    card("Routes", table(["method", "path", "role", "what it does"], operations.map(one => [
      one.method, h("a", { href: `#${anchor(one)}` }, h("code", {}, one.path)), one["x-role"] === "None" ? "anybody" : one["x-role"].toLowerCase(), words(one.summary ?? ""),
    ]))),
    operations.map(one => operationCard(one)),
    card("Shapes", Object.entries(api.components?.schemas ?? {}).map(([name, schema]) => h("div", { id: `shape-${name}` }, h("h3", {}, name), schema.description ? h("p", { class: "soft" }, schema.description) : null, shape(schema)))));
}

const anchor = one => `${one.method}-${one.path}`.replaceAll(/[^A-Za-z]+/g, "-");

function operationCard(one) {
  const answers = Object.entries(one.responses ?? {}).filter(([status]) => status.startsWith("2"));
  const body = one.requestBody?.content?.["application/json"]?.schema;
  return h("section", { class: "card", id: anchor(one) },
    h("h2", {}, h("code", {}, `${one.method} ${one.path}`)),
    h("p", {}, one.summary ?? ""),
    (one.parameters ?? []).length > 0
      ? table(["parameter", "in", "kind", "needed"], one.parameters.map(p => [h("code", {}, p.name), p.in, kind(p.schema), p.required ? "yes" : "no"]))
      : null,
    body ? h("p", {}, "Body: ", kind(body)) : null,
    answers.map(([status, answer]) => h("p", {}, `Answers ${status}: `, Object.entries(answer.content ?? {}).flatMap(([type, of]) => [kind(of.schema), ` as ${type}`]))));
}

/** What a schema is, in a word; one that has a name links to its shape. */
function kind(schema) {
  if (!schema) return "nothing";
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return h("a", { href: `#shape-${name}` }, name);
  }

  if (schema.items) return h("span", {}, "list of ", kind(schema.items));
  if (schema.enum) return schema.enum.join(", ");
  const either = schema.oneOf ?? schema.anyOf;
  if (either) return h("span", {}, either.flatMap((one, i) => [i > 0 ? " or " : "", kind(one)]));
  if (schema.additionalProperties) return h("span", {}, "map of ", kind(schema.additionalProperties));
  return [schema.type].flat().filter(Boolean).join(" or ") || "anything";
}

function shape(schema) {
  if (!schema.properties) return h("p", {}, kind(schema));
  const needed = new Set(schema.required ?? []);
  return table(["key", "kind", "needed", ""], Object.entries(schema.properties).map(([name, of]) => [h("code", {}, name), kind(of), needed.has(name) ? "yes" : "no", words(of.description ?? "")]));
}
