import type { Ip4 } from '../addr/ip4.ts';
import { childKey, nameKey, type NameKey } from '../wire/dns/name.ts';
import { uint } from '../wire/dns/rdata/number.ts';
import { TYPE } from '../wire/dns/record-type.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';

const TTL = 300;
/** Serial, refresh, retry, expire and minimum: the first is for who publishes it, the last how long a "no" may be kept. */
const NUMBERS = [1, 300, 60, 604_800, 10];

/** The rack as the server of a zone: by a name that has addresses elsewhere, or else by its label inside the zone. */
export interface ZoneServer {
  readonly label: string;
  readonly domain?: string;
  readonly addresses: readonly Ip4[];
}

/** What a zone that lives of updates begins with: an SOA, an NS, and the server's addresses if it is in the zone. */
export function emptyZone(name: string, { label, domain, addresses }: ZoneServer): ResourceRecord[] {
  const origin = nameKey(name);
  const server = childKey(label, domain === undefined ? origin : nameKey(domain)) ?? origin;
  const mailbox = childKey('hostmaster', origin) ?? origin;
  const soa = server + mailbox + NUMBERS.map((number) => uint(number, 4)).join('');
  const own = domain === undefined ? addresses : [];
  return [
    record(origin, TYPE.SOA, soa),
    record(origin, TYPE.NS, server),
    ...own.map((address) => record(server, TYPE.A, uint(address, 4))),
  ];
}

function record(owner: NameKey, type: number, data: string): ResourceRecord {
  return { owner, type, ttl: TTL, data };
}
