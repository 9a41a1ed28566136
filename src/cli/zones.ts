import type { ZoneLine } from '../rack/zone-routes.ts';
import { askDaemon, readFromDaemon } from './control-client.ts';

export interface ZoneCommandOptions {
  readonly control: string;
  readonly json: boolean;
}

/** `rackboot zones`: what is served under which serial, and where it is from; exit code 1 when a file is refused. */
export async function zones({ control, json }: ZoneCommandOptions, out: (line: string) => void): Promise<number> {
  const answer = await askDaemon<ZoneLine[]>(control, '/zones');
  if (json) out(JSON.stringify(answer));
  else for (const zone of answer) for (const line of describe(zone)) out(line);
  return answer.some(({ faults }) => faults.length > 0) ? 1 : 0;
}

/** `rackboot zones dump NAME`: the zone as it is served, as a master file that BIND, Knot and NSD read. */
export async function dumpZone(
  { control }: ZoneCommandOptions,
  zone: string,
  out: (line: string) => void,
): Promise<number> {
  out((await readFromDaemon(control, `/zones/dump?of=${encodeURIComponent(zone)}`)).trimEnd());
  return 0;
}

function* describe({
  zone,
  serial,
  names,
  records,
  file,
  loaded,
  kind,
  faults,
  warnings,
}: ZoneLine): Generator<string> {
  const from = file === undefined ? (kind === 'rack' ? 'hosts and leases' : 'updates') : file;
  const since = loaded === undefined ? '' : `, read at ${loaded}`;
  const content =
    serial === undefined ? 'not served' : `serial ${serial}, ${count(names, 'name')}, ${count(records, 'record')}`;
  yield `${zone}  ${content}, from ${from}${since}`;
  for (const fault of faults) yield `  REFUSED ${fault}`;
  for (const warning of warnings) yield `  ${warning}`;
}

function count(number: number | undefined, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
