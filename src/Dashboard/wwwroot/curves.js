// A job's curves: the down-sampled history from the server, and behind it the rounds that have come since, live.
import { get } from "./api.js";

const byNumber = new Intl.Collator("en", { numeric: true }).compare;
const MaxRecent = 500; // Samples that are kept whole.
const MaxLive = 2000; // Then the history is asked for anew, down-sampled.

export class Curves {
  constructor(jobId) {
    this.path = `jobs/${encodeURIComponent(jobId)}/metrics`;
    this.rounds = [];
    this.series = new Map();
    this.lastSample = 0;
    this.live = 0;
    this.recent = [];
  }

  async load(signal) {
    const view = await get(this.path, signal);
    this.rounds = view.rounds;
    this.series = new Map(Object.entries(view.series).map(([name, one]) => [name, one.mean]));
    this.lastSample = view.lastSample;
    this.live = 0;
    this.before = null;
  }

  /** Takes in samples as events bring them. Says whether the history should be loaded again. */
  add(samples) {
    this.recent = [...this.recent, ...samples].slice(-MaxRecent);
    for (const sample of samples) {
      const last = this.rounds.at(-1);
      if (last !== undefined && sample.round < last) continue;
      if (last === undefined || sample.round > last) {
        this.rounds.push(sample.round);
        for (const column of this.series.values()) column.push(null);
        this.live++;
      }

      for (const [name, value] of Object.entries(sample.values)) this.#put(name, value);
      const rate = this.#rate(sample);
      if (rate !== null) this.#put("samplesPerSecond", rate);
    }

    return this.live > MaxLive;
  }

  has(name) { return this.series.has(name); }

  names() { return [...this.series.keys()].sort(byNumber); }

  column(name, label = name) { return { label, values: this.series.get(name) }; }

  newest(name) { return this.series.get(name)?.findLast(value => value !== null && value !== undefined); }

  #put(name, value) {
    if (typeof value !== "number") return; // NaN and the infinities come as words, and leave a gap.
    if (!this.series.has(name)) this.series.set(name, new Array(this.rounds.length).fill(null));
    this.series.get(name)[this.rounds.length - 1] = value;
  }

  /** Seconds are of one worker's clock: where another worker tells on, they jump, and there is no rate. */
  #rate(sample) {
    if (sample.isEvaluation) return null;
    const before = this.before;
    this.before = sample;
    return before && sample.seconds > before.seconds && sample.samplesSeen > before.samplesSeen
      ? (sample.samplesSeen - before.samplesSeen) / (sample.seconds - before.seconds)
      : null;
  }
}
