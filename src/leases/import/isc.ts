import { formatIp4, parseIp4, type Ip4 } from '../../addr/ip4.ts';
import { parseMac } from '../../addr/mac.ts';
import {
  ForeignLeaseGatherer,
  NEVER,
  parseSeconds,
  type ForeignLease,
  type ForeignLeases,
  type Unusable,
} from './foreign-leases.ts';
import { iscTokens, type IscToken } from './isc-tokens.ts';

/** What a lease declaration says, statement by statement: the first word, then the rest. */
type Statements = ReadonlyMap<string, readonly string[]>;

/**
 * Reads ISC dhcpd's `dhcpd.leases` (dhcpd.leases(5)): declarations are appended, so that the last of an address counts.
 * Only leases in the binding state `active` are taken; hosts, failover states and DHCPv6 are passed over. Total: any
 * text gives a result.
 */
export function parseIscLeases(text: string): ForeignLeases {
  const gatherer = new ForeignLeaseGatherer();
  const tokens = iscTokens(text);
  let head: IscToken[] = [];
  for (const token of tokens) {
    if (token.text === '{' && !token.quoted) {
      const body = readBody(tokens);
      if (head[0]?.text === 'lease') readLease(gatherer, head, body);
      head = [];
    } else if ((token.text === ';' || token.text === '}') && !token.quoted) head = [];
    else head.push(token);
  }
  return gatherer.finish();
}

/** Reads up to the closing brace; undefined when the file ends before it. Blocks within are passed over. */
function readBody(tokens: Iterator<IscToken>): Statements | undefined {
  const statements = new Map<string, readonly string[]>();
  let words: string[] = [];
  let depth = 1;
  for (let next = tokens.next(); !next.done; next = tokens.next()) {
    const { text, quoted } = next.value;
    const mark = quoted ? '' : text;
    if (mark === '{') depth++;
    else if (mark === '}' && --depth === 0) return statements;
    else if (mark === ';' || mark === '}') {
      if (depth === 1 && mark === ';') note(statements, words);
      words = [];
    } else if (depth === 1) words.push(text);
  }
  return undefined;
}

function note(statements: Map<string, readonly string[]>, [first, ...rest]: readonly string[]): void {
  if (first !== undefined) statements.set(first, rest);
}

function readLease(gatherer: ForeignLeaseGatherer, [keyword, name]: readonly IscToken[], body?: Statements): void {
  const line = keyword?.line ?? 0;
  const address = parseIp4(name?.text ?? '');
  if (address === undefined) gatherer.refuse(line, `expected an IPv4 address, found "${name?.text ?? ''}"`);
  // dhcpd died while it wrote this; what stood before still counts
  else if (!body) gatherer.refuse(line, `${formatIp4(address)}: the file ends inside this lease`);
  else gatherer.say(address, understand(line, address, body));
}

function understand(line: number, address: Ip4, body: Statements): ForeignLease | Unusable {
  const refuse = (reason: string): Unusable => ({ line, reason: `${formatIp4(address)}: ${reason}` });
  const state = body.has('abandoned') ? 'abandoned' : (body.get('binding')?.[1] ?? 'active');
  if (state !== 'active') return refuse(`its binding state is ${state}`);
  const hardware = body.get('hardware') ?? [];
  const mac = hardware[0] === 'ethernet' ? parseMac(hardware[1] ?? '') : undefined;
  if (mac === undefined) return refuse(`expected "hardware ethernet" and a MAC address, found "${hardware.join(' ')}"`);
  const ends = body.get('ends') ?? [];
  const expires = readDate(ends);
  if (expires === undefined) return refuse(`expected a date for its end, found "${ends.join(' ')}"`);
  const name = body.get('client-hostname')?.[0];
  return { line, address, mac, expires, ...(name === undefined || name === '' ? {} : { name }) };
}

/** "never", "epoch 1700000000", or "2 2023/11/14 22:13:20" in UTC, the first number being the day of the week. */
function readDate([first, second, third]: readonly string[]): number | undefined {
  if (first === 'never') return NEVER;
  if (first === 'epoch') return parseSeconds(second);
  const date = /^(\d{4})\/(\d\d?)\/(\d\d?)$/.exec(second ?? '');
  const time = /^(\d\d?):(\d\d?):(\d\d?)$/.exec(third ?? '');
  if (!date || !time) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second0 = 0] = [...date.slice(1), ...time.slice(1)].map(
    Number,
  );
  const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second0);
  return Math.min(Math.max(0, milliseconds / 1000), NEVER);
}
