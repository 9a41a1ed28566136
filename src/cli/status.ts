import type { RackStatus } from '../rack/status.ts';
import { regionLines } from './region-lines.ts';
import { upstreamLines } from './upstream-lines.ts';
import { askDaemon } from './control-client.ts';

/** `rackboot status`: exit code 0 when all is well, 1 when a service is down, or the file or what the region says was refused. */
export async function status(
  options: { control: string; json: boolean },
  out: (line: string) => void,
): Promise<number> {
  const answer = await askDaemon<RackStatus>(options.control, '/status');
  if (options.json) out(JSON.stringify(answer));
  else for (const line of describe(answer)) out(line);
  const serving = Object.values(answer.services).every(({ state }) => state === 'serving');
  return serving && answer.config.state === 'applied' && !answer.region?.refused ? 0 : 1;
}

function* describe({
  rack,
  since,
  config,
  region,
  services,
  subnets,
  leases,
  machines,
  notices,
}: RackStatus): Generator<string> {
  yield `rack ${rack}, up since ${since}, ${leases} leases`;
  if (config.state === 'refused')
    yield `config ${config.file}: REFUSED at ${config.read}; the plan before it is served on`;
  else yield `config ${config.file}: applied at ${config.read}`;
  for (const fault of config.faults) yield `  ${fault}`;
  yield* regionLines(region);
  for (const notice of notices) yield `NOTICE ${notice}`;
  yield* troubleLines(machines);
  for (const [name, { state, restarts }] of Object.entries(services)) {
    yield `${name.padEnd(5)} ${state}${restarts === 0 ? '' : `, restarted ${restarts} times`}`;
  }
  yield* upstreamLines(services['dns']?.counters ?? {});
  for (const { cidr, interface: device, management, dynamic } of subnets) {
    yield `${cidr} on ${device ?? 'relays'}: ${management}${dynamic === undefined ? '' : `, ${dynamic}`}`;
  }
}

function* troubleLines({ inTrouble, byKind }: RackStatus['machines']): Generator<string> {
  if (inTrouble === 0) return;
  const kinds = Object.entries(byKind).map(([kind, count]) => `${kind} ${count}`);
  yield `${inTrouble} ${inTrouble === 1 ? 'machine' : 'machines'} in trouble (${kinds.join(', ')}): \`rackboot machines --trouble\``;
}
