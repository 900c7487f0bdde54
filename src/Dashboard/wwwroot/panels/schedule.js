// The planned learning rate as curves, and where a job is on it. Values alone, no element.
import { count, number } from "../dom.js";

/** Trunk and releases are curves of their own; a release's rate belongs to the release alone. */
export function planOf({ rounds, rates, spans }, round) {
  const spanAt = at => spans.find(span => at <= span.last) ?? spans.at(-1);
  const isRelease = rounds.map(at => spanAt(at).release !== null && spanAt(at).release !== undefined);
  const at = rounds.findLastIndex(one => one <= round);
  const series = [
    { label: "trunk", values: rates.map((rate, i) => isRelease[i] ? null : rate) },
    ...(isRelease.includes(true) ? [{ label: "releases", values: rates.map((rate, i) => isRelease[i] ? rate : null) }] : []),
    { label: "now", values: rates.map((rate, i) => i === at ? rate : null), isPoint: true },
  ];
  const span = at < 0 ? null : spanAt(round);
  const where = span ? `${span.release ? `release ${span.release}` : `stage ${span.stage}`}, round ${count(round)} of ${count(spans.at(-1).last)}, rate ${number(rates[at])}` : "before the first round";
  return {
    rounds, series, words: `Now: ${where}.`,
    marks: [
      ...spans.filter((one, i) => i > 0 && one.stage !== spans[i - 1].stage).map(one => ({ round: one.first, kind: "stage" })),
      ...(at < 0 ? [] : [{ round, kind: "now" }]),
    ],
  };
}
