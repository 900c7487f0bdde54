// Federated learning: both learning rates, the spread of the clients', the inner product that moves them, and who took part.
import { get } from "../api.js";
import { chart } from "../chart.js";
import { card, count, empty, fill, h, table } from "../dom.js";
import { grid } from "../draw/grid.js";
import { byKind } from "../draw/looks.js";
import { partsOf } from "./participation.js";

/** Rounds that the grid shows, and rounds after which what was missed is asked for anew. */
const Rounds = 200, Period = 10;

const Parts = {
  TookPart: ["--good", "took part"], Late: ["--warn", "late"], Absent: ["--soft", "absent"], LeftOut: ["--bad", "left out: not finite"],
};

const Betas = { localLrMin: "beta, least", localLrMedian: "beta, median", localLrMax: "beta, greatest" };

export function federated({ path, signal, curves, problem, job }) {
  if (!/^method:\s*fed\w*\b/mi.test(job.submission?.specText ?? "") && !curves.has("globalLr")) return null;
  const [alpha, beta, products, clients] = ["Global rate alpha", "Local rate beta", "Inner product", "Clients"].map(title => chart(title, signal));
  const who = grid("Participation", {
    signal, what: "client", look: byKind(Parts, "was not asked, or is not known"),
    nothing: "Who takes part shows with the first round that is committed. The reason above says what the job waits for.",
    hint: `The newest ${Rounds} rounds; of a round at most 32 clients, first those that gave it nothing.`,
  });
  const missed = h("div", {}, empty("Everybody has taken part in every round."));
  const charts = h("div", { class: "columns" });
  const box = h("div", { class: "page", "data-testid": "federated" }, charts, who.box, card("Who was missing", missed));
  let past = null, asked = -1, page = { rounds: [], clients: [] };

  /** Samples before those that come live. */
  async function load() {
    const after = Math.max(0, curves.lastSample - 2 * Rounds);
    past = (await get(`${path}/samples?after=${after}`, signal)).samples;
  }

  async function ask() {
    page = await get(`${path}/participation?count=500`, signal);
    while (page.rounds.length > 0 && page.rounds.at(-1).round < page.newest) {
      const next = await get(`${path}/participation?count=500&after=${page.rounds.at(-1).round}`, signal);
      if (next.rounds.length === 0) break;
      page = { ...next, rounds: [...page.rounds, ...next.rounds] };
    }

    fill(missed, missedBy(page));
    drawParts();
  }

  function drawParts() {
    const { rounds, rows } = partsOf([...(past ?? []), ...curves.recent], page.rounds, Rounds);
    who.draw(rounds, rows);
  }

  return {
    box,
    draw(now) {
      const shown = [];
      const put = (plot, columns, options) => {
        const here = columns.filter(([name]) => curves.has(name));
        if (here.length === 0) return;
        plot.draw(curves.rounds, here.map(([name, label]) => curves.column(name, label)), options);
        shown.push(plot.box);
      };
      put(alpha, [["globalLr", "alpha"]]);
      const few = curves.has("localLrMedian") ? Betas : { localLrMin: Betas.localLrMin, localLrMean: "beta, mean", localLrMax: Betas.localLrMax };
      put(beta, Object.entries(few), { band: [2, 0] });
      put(products, curves.has("updateCosine") ? [["updateCosine", "cosine of successive updates"]] : [["updateProduct", "inner product of successive updates"]]);
      put(clients, [["clients", "took part"], ["clientsLate", "late"], ["clientsAbsent", "absent"], ["clientsLeftOut", "left out"]]);
      if (shown.some((one, i) => charts.children[i] !== one)) fill(charts, shown);
      drawParts();
      if (past === null) {
        past = [];
        load().then(drawParts, problem);
      }

      const due = Math.floor(now.round / Period);
      if (due === asked) return;
      asked = due;
      ask().catch(problem);
    },
  };
}

function missedBy(page) {
  if (page.clients.length === 0) return empty("Nobody was late or absent in any round.");
  return [
    h("p", { class: "hint" }, `${count(page.recorded)} rounds did without somebody${page.revised > 0 ? `; ${count(page.revised)} were decided anew` : ""}.`),
    table(["client", "#late", "#absent", "#last round"], page.clients.slice(0, 50).map(one => [one.client, count(one.late), count(one.absent), count(one.lastRound)])),
  ];
}
