// Where the states of a continual job stand in its picture: numbers alone, no element. The trunk is the upper line, and each release
// lies on a line below, from its fork on; a line is used again once the release on it has ended.

export const Step = 112, LaneHeight = 84, Left = 56, Top = 62;

/** States farther back than this are left out of the picture; the table has them. */
export const MostNodes = 60;

/**
 * @param {{ name: string, round: number, job?: string, node: object }[]} checkpoints as the API gives them
 * @returns nodes { x, y, checkpoint, isBranch }, edges [from, to] by node, stages { name, x, width } over the trunk, width and height
 */
export function layout(checkpoints) {
  const shown = [...checkpoints].sort(byProgress).slice(-MostNodes);
  const lanes = lanesOf(shown);
  const nodes = shown.map((checkpoint, column) => ({
    checkpoint, x: Left + column * Step, lane: lanes.get(checkpoint), y: Top + lanes.get(checkpoint) * LaneHeight, isBranch: isBranch(checkpoint),
  }));
  return {
    nodes, edges: edgesOf(nodes), stages: stagesOf(nodes),
    width: 2 * Left + Math.max(0, nodes.length - 1) * Step, height: Top + Math.max(0, ...nodes.map(node => node.lane)) * LaneHeight + 56,
  };
}

const isBranch = ({ node }) => node.kind === "Release" || node.kind === "Annealing";

/** Updates of its line. At the same place the trunk stands before what forks from it. */
const byProgress = (a, b) => a.node.step + a.node.branchStep - b.node.step - b.node.branchStep || a.node.branchStep - b.node.branchStep || a.round - b.round;

/** 0 is the trunk's. */
function lanesOf(shown) {
  const lanes = new Map(), ends = [], laneOf = new Map();
  const last = new Map();
  shown.forEach((one, column) => { if (isBranch(one)) last.set(one.node.release, column); });
  shown.forEach((one, column) => {
    if (!isBranch(one)) { lanes.set(one, 0); return; }
    const release = one.node.release;
    if (!laneOf.has(release)) {
      const free = ends.findIndex(end => end < column);
      laneOf.set(release, free >= 0 ? free : ends.length);
      ends[laneOf.get(release)] = last.get(release);
    }

    lanes.set(one, laneOf.get(release) + 1);
  });
  return lanes;
}

/** What follows from what: along the trunk, from a fork into its release, and from a release into a stage that goes on from it. */
function edgesOf(nodes) {
  const edges = [];
  let trunk = null;
  const newest = new Map();
  const releaseAt = new Map(nodes.filter(one => one.checkpoint.node.kind === "Release" && !one.checkpoint.job).map(one => [one.checkpoint.round, one]));
  for (const one of nodes) {
    const { node } = one.checkpoint;
    if (one.isBranch) {
      const fork = nodes.findLast(other => !other.isBranch && other.checkpoint.node.step <= node.step);
      const from = newest.get(node.release) ?? fork;
      if (from) edges.push([from, one]);
      newest.set(node.release, one);
      continue;
    }

    const from = node.origin !== null && trunk && releaseAt.get(node.origin) && trunk.checkpoint.round <= node.origin ? releaseAt.get(node.origin) : trunk;
    if (from) edges.push([from, one]);
    trunk = one;
  }

  return edges;
}

/** Neighbours on the trunk that are of one stage. */
function stagesOf(nodes) {
  const stages = [];
  for (const { x, checkpoint } of nodes.filter(one => !one.isBranch)) {
    if (stages.at(-1)?.name === checkpoint.node.stage) stages.at(-1).end = x;
    else stages.push({ name: checkpoint.node.stage, start: x, end: x });
  }

  return stages.map(({ name, start, end }) => ({ name, x: start - Step / 2 + 6, width: end - start + Step - 12 }));
}
