// Which page an address shows. Links within the site change the address and the page, and load nothing anew.
import { get, post } from "./api.js";
import { fill, h } from "./dom.js";
import { clusterPage } from "./pages/cluster.js";
import { jobsPage } from "./pages/jobs.js";
import { jobPage } from "./pages/job.js";
import { submitPage } from "./pages/submit.js";
import { comparePage } from "./pages/compare.js";
import { docsPage } from "./pages/docs.js";

const main = document.getElementById("main");
let leave = new AbortController();
let session = null;

/** What a page gets: where to draw, when it is left, who is there, and how to say that something is wrong. */
async function show() {
  leave.abort();
  leave = new AbortController();
  const signal = leave.signal;
  const [, first, id] = location.pathname.split("/");
  const [title, page] =
    !first ? ["Cluster", clusterPage]
    : first === "jobs" && id ? [decodeURIComponent(id), context => jobPage(context, decodeURIComponent(id))]
    : first === "jobs" ? ["Jobs", jobsPage]
    : first === "submit" ? ["Submit a job", submitPage]
    : first === "compare" ? ["Compare jobs", comparePage]
    : ["API", docsPage];
  document.title = first ? `${title} · Cluster` : title;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `/${first}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }

  const banner = h("p", { class: "banner", role: "status", hidden: true });
  const place = h("div", { style: null });
  place.className = "page";
  fill(main, banner, place);
  const problem = error => {
    banner.hidden = !error;
    banner.textContent = error?.message ?? "";
  };
  try {
    session ??= await get("session", signal);
    who();
    await page({ place, signal, session, problem, go });
  } catch (error) {
    if (!signal.aborted) problem(error);
  }
}

/** @param {string} address a path of this site */
function go(address) {
  history.pushState(null, "", address);
  show().then(() => main.focus());
}

function who() {
  fill(document.getElementById("who"),
    session.isOpen ? "open on this machine" : `${session.name} (${session.role})`,
    session.isOpen ? null : h("button", {
      onclick: async () => {
        await post("session/end");
        location.assign("/login");
      },
    }, "Log out"));
}

document.addEventListener("click", event => {
  const link = event.target.closest("a[href^='/']");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  if (!link || !isPlain || link.target || link.hasAttribute("download") || link.pathname.startsWith("/api/")) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});
addEventListener("popstate", show);
show();
