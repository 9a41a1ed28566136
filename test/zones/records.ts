import { nameKey } from '../../src/wire/dns/name.ts';
import { parseType, TYPE } from '../../src/wire/dns/record-type.ts';
import type { ResourceRecord } from '../../src/wire/dns/resource-record.ts';
import type { ZoneChange } from '../../src/zones/zone-change.ts';

export const ORIGIN = nameKey('rack.example');

/** "node1 A 192.0.2.1", in rack.example; "@" is the origin. NS, CNAME, DNAME and PTR data are names, A data addresses, other text; "TYPE1000" is a type by its number. */
export function record(line: string, ttl = 300): ResourceRecord {
  const [label = '', type = '', ...rest] = line.split(' ');
  const owner = label === '@' ? ORIGIN : nameKey(`${label}.rack.example`);
  return { owner, type: parseType(type) ?? Number.NaN, ttl, data: dataOf(type, rest.join(' ')) };
}

function dataOf(type: string, text: string): string {
  switch (type) {
    case 'A':
      return String.fromCharCode(...text.split('.').map(Number));
    case 'NS':
    case 'CNAME':
    case 'DNAME':
    case 'PTR':
      return nameKey(text);
    default:
      return String.fromCharCode(text.length) + text;
  }
}

export function soa(serial: number): ResourceRecord {
  const numbers = Buffer.alloc(20);
  for (const [index, value] of [serial, 300, 60, 604_800, 10].entries()) numbers.writeUInt32BE(value, index * 4);
  const data = nameKey('ns.rack.example') + nameKey('hostmaster.rack.example') + numbers.toString('latin1');
  return { owner: ORIGIN, type: TYPE.SOA, ttl: 300, data };
}

/** From one serial to the next: lines that went behind "-", that came behind "+". */
export function change(from: number, to: number, ...lines: readonly string[]): ZoneChange {
  const of = (sign: string): ResourceRecord[] =>
    lines.filter((line) => line.startsWith(sign)).map((line) => record(line.slice(1)));
  return { origin: ORIGIN, from: soa(from), to: soa(to), removed: of('-'), added: of('+') };
}
