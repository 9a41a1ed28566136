import type { RackStatus } from '../rack/status.ts';

const LINKS = {
  connecting: 'is being asked',
  connected: 'is followed',
  lost: 'CAN NOT BE FOLLOWED',
  unknown: 'DOES NOT KNOW THIS RACK',
} as const;

/** What an operator sees of the region: nothing where there is none. */
export function* regionLines(region: RackStatus['region']): Generator<string> {
  if (!region) return;
  const { url, link, since, version, refused, conflicts, waiting, oldest, forgotten = 0, skewSeconds, fault } = region;
  const isAsked = url !== undefined && link !== undefined;
  yield isAsked ? `region ${url}: ${LINKS[link]}, since ${since ?? '?'}` : 'region: not asked yet';
  if (url?.startsWith('http:') === true)
    yield '  it is not encrypted: whoever is on the way sees all, and the key of this rack';
  const plan = version === undefined ? 'no plan of the region' : `plan ${version} of the region`;
  yield `  ${plan} is in force${refused ? `; plan ${refused.version} is REFUSED:` : ''}`;
  for (const reason of refused?.faults ?? []) yield `    ${reason}`;
  for (const conflict of conflicts) yield `  ${conflict}`;
  if (waiting !== undefined && waiting > 0)
    yield `  ${waiting} events wait${oldest === undefined ? '' : `, from ${oldest} on`}`;
  if (forgotten > 0) yield `  ${forgotten} events were given up, and are never told`;
  if (skewSeconds !== undefined && Math.abs(skewSeconds) > 1)
    yield `  its clock is ${Math.abs(skewSeconds)} s ${skewSeconds > 0 ? 'ahead of' : 'behind'} this one`;
  if (fault && link !== 'connected') yield `  last trouble, at ${fault.at}: ${fault.reason}`;
}
