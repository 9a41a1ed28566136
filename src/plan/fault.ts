const MAX_SHOWN = 60;
const UNSEEMLY = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

/** Where a value stands in the file: `['subnets', 0, 'router']`. */
export type Path = readonly (string | number)[];

/** A `plan` fault leaves no Plan; an `entry` fault takes one host, class, boot entry, loader, zone, key, domain, name or source of images out of service. */
export type FaultScope = 'plan' | 'entry';

/** One thing wrong in the config file. */
export interface Fault {
  /** The file as it was named to the compiler, or "region plan 7". */
  readonly file: string;
  /** From 1; 0 where the region said it, as nobody sees a text of that. */
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
  /** `subnets[0].router`, as it stands there; empty for the whole. */
  readonly path: string;
  readonly expected: string;
  readonly found: string;
  readonly scope: FaultScope;
  /** It is no fault of what is written: something is not on disk, and may come. */
  readonly mayPass?: true;
}

/** "rackboot.yaml:12:9: subnets[0].router: expected an address inside 192.168.127.0/24, found 10.0.0.1" */
export function formatFault(fault: Fault): string {
  const place = fault.line === 0 ? fault.file : `${fault.file}:${fault.line}:${fault.column}`;
  const subject = fault.path === '' ? place : `${place}: ${fault.path}`;
  return `${subject}: expected ${fault.expected}, found ${fault.found}`;
}

/** "subnets[0].router" */
export function formatPath(path: Path): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${oneLine(step)}`))
    .join('');
}

/** Text from the file as a message can show it: one line of at most 60 characters. */
export function oneLine(text: string): string {
  const line = text.replaceAll(UNSEEMLY, ' ');
  return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN - 1)}…` : line;
}

/** What a fault at this path costs: entries are what can be taken out one by one. */
export function scopeOf(path: Path): FaultScope {
  const [section, second] = path;
  if ((section === 'hosts' || section === 'classes') && path.length > 1) return 'entry';
  if (section === 'images' && second === 'sources' && path.length > 2) return 'entry';
  const inCatalogue = section === 'boot' && (second === 'entries' || second === 'loaders');
  const inNames = section === 'dns' && ['zones', 'keys', 'domains', 'names'].includes(String(second));
  return (inCatalogue || inNames) && path.length > 2 ? 'entry' : 'plan';
}
