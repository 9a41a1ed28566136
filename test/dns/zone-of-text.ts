import { runWhole } from '../../src/dns/slices.ts';
import { buildZone } from '../../src/dns/zone-builder.ts';
import type { Zone } from '../../src/dns/zone.ts';
import { nameKey } from '../../src/wire/dns/name.ts';
import { recordsOf } from '../../src/wire/dns/record-set.ts';
import { TYPE } from '../../src/wire/dns/record-type.ts';
import type { ResourceRecord } from '../../src/wire/dns/resource-record.ts';
import { soaOf } from './soa-of.ts';

const TIMES = { refresh: 1, retry: 1, expire: 1, minimum: 10 };

/** A zone in lines such as "b CNAME c", names below the origin or, with a dot at the end, in full; its SOA is added. TTL 60. */
export function zoneOfText(origin: string, ...lines: readonly string[]): Zone {
  const soa = recordsOf(nameKey(origin), soaOf(`ns.${origin}`, 60, TIMES));
  return runWhole(buildZone(nameKey(origin), [...soa, ...lines.map((line) => recordOf(line, origin))], 'file'));
}

function recordOf(line: string, origin: string): ResourceRecord {
  const [owner = '', type = '', data = ''] = line.split(' ');
  const full = (name: string): string => {
    if (name === '@') return origin;
    return name.endsWith('.') ? name : `${name}.${origin}`;
  };
  const record = { owner: nameKey(full(owner)), type: (TYPE as Record<string, number>)[type] ?? 0, ttl: 60 };
  return { ...record, data: dataOf(type, data, full) };
}

function dataOf(type: string, data: string, full: (name: string) => string): string {
  if (type === 'A') return String.fromCharCode(...data.split('.').map(Number));
  if (type === 'AAAA') return `\x20\x01\x0d\xb8${'\0'.repeat(11)}${String.fromCharCode(Number(data))}`;
  if (type === 'TXT') return String.fromCharCode(data.length) + data;
  if (type === 'DS') return `\x12\x34\x0d\x02${'\x55'.repeat(32)}`;
  if (type === 'MX') return `\0\x0a${nameKey(full(data))}`;
  if (type === 'SRV') return `\0\x01\0\x02\0\x35${nameKey(full(data))}`;
  if (type === 'SVCB' || type === 'HTTPS') return `\0\x01${nameKey(data === '.' ? '.' : full(data))}`;
  return nameKey(full(data));
}
