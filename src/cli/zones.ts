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

/** `rackboot zones updates NAME`: what updates added (+) and deleted (-); with `forget`, all of it is undone first. */
export async function showUpdates(
  { control, forget }: ZoneCommandOptions & { readonly forget: boolean },
  zone: string,
  out: (line: string) => void,
): Promise<number> {
  const of = `of=${encodeURIComponent(zone)}`;
  const text = forget
    ? await readFromDaemon(control, `/zones/updates/forget?${of}`, 'POST')
    : await readFromDaemon(control, `/zones/updates?${of}`);
  if (text !== '') out(text.trimEnd());
  const lines = text === '' ? 0 : text.trimEnd().split('\n').length;
  if (forget) out(`${count(lines, 'change')} undone: ${zone} is what its file says`);
  else if (lines === 0) out(`${zone} is what its file says`);
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
  updated,
  overruled = 0,
}: ZoneLine): Generator<string> {
  const from = file === undefined ? (kind === 'rack' ? 'hosts, names and leases' : 'updates') : file;
  const since = loaded === undefined ? '' : `, read at ${loaded}`;
  const content =
    serial === undefined ? 'not served' : `serial ${serial}, ${count(names, 'name')}, ${count(records, 'record')}`;
  yield `${zone}  ${content}, from ${from}${since}`;
  for (const fault of faults) yield `  REFUSED ${fault}`;
  for (const warning of warnings) yield `  ${warning}`;
  const idle = overruled > 0 ? `, ${overruled} of them not in force: the file leaves no place for them` : '';
  if (updated !== undefined) yield `  ${count(updated, 'record')} added or deleted by updates${idle}`;
}

function count(number: number | undefined, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
