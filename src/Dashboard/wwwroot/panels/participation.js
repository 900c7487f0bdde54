// Who gave which round what: from the samples, which name those that a round asked, and from the record of those that were missing,
// which goes farther back. Values alone, no element.

const MostClients = 60;
const names = new Intl.Collator("en", { numeric: true }).compare;

/**
 * @param samples of rounds, with `clients` where they are known
 * @param absences of the participation record
 * @param {number} most rounds that are wanted: the newest
 */
export function partsOf(samples, absences, most) {
  const byRound = new Map();
  for (const one of absences) byRound.set(one.round, new Map(one.absences.map(absence => [absence.client, absence.kind])));
  for (const sample of samples) if (sample.clients) byRound.set(sample.round, new Map(sample.clients.map(part => [part.client, part.kind])));
  const rounds = [...byRound.keys()].sort((a, b) => a - b).slice(-most);
  const clients = new Map();
  for (const round of rounds) for (const [client, kind] of byRound.get(round)) clients.set(client, (clients.get(client) ?? 0) + (kind === "TookPart" ? 0 : 1));
  // Those that missed most are looked for first.
  const shown = [...clients].sort((a, b) => b[1] - a[1] || names(a[0], b[0])).slice(0, MostClients).map(([client]) => client).sort(names);
  return { rounds, rows: shown.map(name => ({ name, values: rounds.map(round => byRound.get(round).get(name) ?? null) })) };
}
