import { nameKey } from '../../../src/wire/dns/name.ts';
import { CLASS_ANY, CLASS_IN, CLASS_NONE, TYPE } from '../../../src/wire/dns/record-type.ts';
import { record } from '../../zones/records.ts';

/**
 * An UPDATE of rack.example, of lines: "yx node1", "yx node1 A", "nx node1", "nx node1 A", "is node1 A 192.0.2.1" for
 * prerequisites (RFC 2136 §2.4); "add node1 A 192.0.2.1", "del node1", "del node1 A", "del node1 A 192.0.2.1" for updates
 * (§2.5).
 */
export function updateMessage(lines: readonly string[], zone = 'rack.example'): Buffer {
  const prerequisites = lines.filter((line) => /^(yx|nx|is) /.test(line)).map(encode);
  const updates = lines.filter((line) => /^(add|del) /.test(line)).map(encode);
  const header = Buffer.alloc(12);
  header.set([0x12, 0x34, 5 << 3]);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(prerequisites.length, 6);
  header.writeUInt16BE(updates.length, 8);
  const question = Buffer.concat([Buffer.from(nameKey(zone), 'latin1'), numbers(TYPE.SOA, CLASS_IN)]);
  return Buffer.concat([header, question, ...prerequisites, ...updates]);
}

function encode(line: string): Buffer {
  const [word = '', ...rest] = line.split(' ');
  const [label = '', type] = rest;
  const hasData = rest.length > 2;
  const full =
    hasData || type === undefined ? record(hasData ? rest.join(' ') : `${label} TXT x`) : record(`${label} ${type} x`);
  const number = type === undefined ? TYPE.ANY : full.type;
  const data = hasData ? Buffer.from(full.data, 'latin1') : Buffer.alloc(0);
  const fixed = Buffer.concat([numbers(number, classOf(word, hasData)), Buffer.alloc(4), numbers(data.length)]);
  if (word === 'add') fixed.writeUInt32BE(full.ttl, 4);
  return Buffer.concat([Buffer.from(full.owner, 'latin1'), fixed, data]);
}

function classOf(word: string, hasData: boolean): number {
  switch (word) {
    case 'yx':
      return CLASS_ANY;
    case 'nx':
      return CLASS_NONE;
    case 'del':
      return hasData ? CLASS_NONE : CLASS_ANY;
    default:
      return CLASS_IN;
  }
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}
