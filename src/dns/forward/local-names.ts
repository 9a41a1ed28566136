import { nameKey, parentKey, type NameKey } from '../../wire/dns/name.ts';
import { RCODE } from '../../wire/dns/rcode.ts';
import { TYPE } from '../../wire/dns/record-type.ts';
import type { ResourceRecord } from '../../wire/dns/resource-record.ts';
import type { DnsResponse } from '../../wire/dns/response.ts';
import { ReplyCompiler, type CompiledReply } from './reply-compiler.ts';

/** RFC 6303 §3. */
const TTL = 10_800;
const NO_LIMITS = { least: 0, most: TTL };

/** Reverse zones of addresses that mean something else everywhere: RFC 6303 §4, RFC 7793 (shared), RFC 5737 (documentation). */
const REVERSE_ZONES = [
  '10.in-addr.arpa',
  ...range(16, 31).map((octet) => `${octet}.172.in-addr.arpa`),
  '168.192.in-addr.arpa',
  ...range(64, 127).map((octet) => `${octet}.100.in-addr.arpa`),
  '0.in-addr.arpa',
  '127.in-addr.arpa',
  '254.169.in-addr.arpa',
  '2.0.192.in-addr.arpa',
  '100.51.198.in-addr.arpa',
  '113.0.203.in-addr.arpa',
  '255.255.255.255.in-addr.arpa',
  `0.${'0.'.repeat(31)}ip6.arpa`,
  `1.${'0.'.repeat(31)}ip6.arpa`,
  'd.f.ip6.arpa',
  '8.e.f.ip6.arpa',
  '9.e.f.ip6.arpa',
  'a.e.f.ip6.arpa',
  'b.e.f.ip6.arpa',
  '8.b.d.0.1.0.0.2.ip6.arpa',
  // RFC 8375 §4: the home network's own
  'home.arpa',
  // RFC 9462 §6.4: what a resolver says of itself
  'resolver.arpa',
];

/**
 * Names that stand for nothing in the public DNS: RFC 6761 §6.2 (test) and §6.4 (invalid), RFC 6762 §22.1 (local), RFC 7686 §2
 * (onion), RFC 9476 §3 (alt). To ask for them elsewhere tells a stranger what is looked for here, and gets a "no" at best.
 */
const SPECIAL_NAMES = ['test', 'invalid', 'local', 'onion', 'alt'];
const LOCALHOST = nameKey('localhost');
const LOOPBACK: ReadonlyMap<number, string> = new Map([
  [TYPE.A, '\x7f\0\0\x01'],
  [TYPE.AAAA, `${'\0'.repeat(15)}\x01`],
]);

/** Names that are never asked of an upstream, unless a route says so. */
export class LocalNames {
  readonly #zones: ReadonlyMap<NameKey, 'empty' | 'special'>;
  readonly #compiler = new ReplyCompiler();

  constructor() {
    const reverse = REVERSE_ZONES.map((name) => [nameKey(name), 'empty'] as const);
    const special = [...SPECIAL_NAMES, 'localhost'].map((name) => [nameKey(name), 'special'] as const);
    this.#zones = new Map([...reverse, ...special]);
  }

  /** The zone a name belongs to; undefined for one that may be asked for elsewhere. */
  zoneOf(key: NameKey): NameKey | undefined {
    for (let above: NameKey | undefined = key; above !== undefined; above = parentKey(above)) {
      if (this.#zones.has(above)) return above;
    }
    return undefined;
  }

  /** The answer to a question about a name in `zone`. */
  answer(key: NameKey, type: number, zone: NameKey): CompiledReply {
    const soa = emptyZoneSoa(zone);
    const answers = recordsAt(key, type, zone, soa);
    const isThere = answers.length > 0 || zone === LOCALHOST || (key === zone && this.#zones.get(zone) === 'empty');
    const rcode = isThere ? RCODE.NOERROR : RCODE.NXDOMAIN;
    const response = localResponse(rcode, answers, answers.length > 0 ? [] : [soa]);
    return this.#compiler.compile({ key, type, dnssecOk: false }, response, false, NO_LIMITS);
  }
}

/** As if a server had said so. */
export function localResponse(
  rcode: number,
  answers: readonly ResourceRecord[],
  authorities: readonly ResourceRecord[],
): DnsResponse {
  const head = { id: 0, truncated: false, authentic: false, rcode };
  return { ...head, extendedRcode: rcode, hasEdns: true, answers, authorities };
}

function recordsAt(key: NameKey, type: number, zone: NameKey, soa: ResourceRecord): ResourceRecord[] {
  const loopback = LOOPBACK.get(type);
  // RFC 6761 §6.3: every name in it is the loopback address
  if (zone === LOCALHOST) return loopback === undefined ? [] : [{ owner: key, type, ttl: TTL, data: loopback }];
  if (key !== zone) return [];
  if (type === TYPE.SOA) return [soa];
  // RFC 6303 §3: the zone's own name, which has no address
  return type === TYPE.NS ? [{ owner: zone, type, ttl: TTL, data: zone }] : [];
}

/** RFC 6303 §3: the zone itself, nobody.invalid, 1 3600 1200 604800 10800. */
function emptyZoneSoa(zone: NameKey): ResourceRecord {
  const numbers = Buffer.alloc(20);
  for (const [i, number] of [1, 3600, 1200, 604_800, TTL].entries()) numbers.writeUInt32BE(number, 4 * i);
  const data = `${zone}${nameKey('nobody.invalid')}${numbers.toString('latin1')}`;
  return { owner: zone, type: TYPE.SOA, ttl: TTL, data };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
