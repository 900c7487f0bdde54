// Numbers to places and shares: what every drawing decides before it draws. No page and no element here.

/**
 * From the least to the greatest of these values, each value's share from 0 to 1. Where all are positive and lie more than a factor
 * of 20 apart, by their logarithms: else the greatest would leave one shade for all others.
 */
export function scaleOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!isNumber(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }

  if (low > high) return null;
  const isLog = low > 0 && high / low > 20;
  const at = isLog ? Math.log : value => value;
  const width = at(high) - at(low);
  return {
    low, high, isLog,
    share: value => width > 0 ? Math.min(1, Math.max(0, (at(value) - at(low)) / width)) : 0.5,
    valueAt: share => isLog ? Math.exp(at(low) + share * width) : low + share * width,
  };
}

export const isNumber = value => typeof value === "number" && Number.isFinite(value);

/** Viridis, from dark blue to yellow: even in lightness, so that it can be read by everybody, in the dark and without colours. */
export const Ramp = [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37]];

/** @param {number} share from 0 to 1 */
export function colourAt(share) {
  const place = Math.min(1, Math.max(0, share)) * (Ramp.length - 1);
  const [from, rest] = [Math.min(Ramp.length - 2, Math.floor(place)), place - Math.min(Ramp.length - 2, Math.floor(place))];
  return `rgb(${Ramp[from].map((value, i) => Math.round(value + rest * (Ramp[from + 1][i] - value))).join(", ")})`;
}

/**
 * The columns of a grid over rounds that has gaps: rounds in which no row has a value are left out, and where there are more than
 * `most`, neighbours become one, with the last value of each row in it.
 * @returns the places in `rounds` that each column ends with, and the rows' values
 */
export function columnsOf(rounds, rows, most) {
  const filled = rounds.map((_, i) => i).filter(i => rows.some(row => row.values[i] !== null && row.values[i] !== undefined));
  const size = Math.max(1, Math.ceil(filled.length / most));
  const ends = [];
  for (let end = filled.length - 1; end >= 0; end -= size) ends.unshift(end);
  const lastOf = (values, end) => {
    for (let i = end; i > end - size && i >= 0; i--) if (values[filled[i]] !== null && values[filled[i]] !== undefined) return values[filled[i]];
    return null;
  };
  return { rounds: ends.map(end => rounds[filled[end]]), rows: rows.map(row => ({ name: row.name, values: ends.map(end => lastOf(row.values, end)) })) };
}

/** What all names begin with, up to a dot: it need not stand before each of them. */
export function commonStart(names) {
  if (names.length < 2) return "";
  let start = names[0];
  for (const name of names) while (!name.startsWith(start)) start = start.slice(0, -1);
  return start.slice(0, start.lastIndexOf(".") + 1);
}

/** Where an arrow key leads in a grid; null for keys that lead nowhere. */
export function step(key, { row, column }, rows, columns) {
  const to = { ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], Home: [row, 0], End: [row, columns - 1] }[key];
  return to ? { row: Math.min(rows - 1, Math.max(0, to[0])), column: Math.min(columns - 1, Math.max(0, to[1])) } : null;
}
