import { WireError } from '../../wire-error.ts';
import { parseType, typeName } from '../record-type.ts';
import type { Field } from './field.ts';
import { uint } from './number.ts';
import type { RdataReader } from './rdata-reader.ts';
import { TextError } from './text-error.ts';
import { showWord } from './words.ts';

const EXPECTED = 'a record type like AAAA or TYPE65280';
/** Octets of bits in one window of 256 types. */
const MOST = 32;

/** One record type by its name. */
export const recordType: Field = {
  parse: (words) => uint(toType(words.take(EXPECTED).text), 2),
  read: (reader) => reader.take(2),
  format: (reader) => typeName(reader.u16()),
};

/** The types at a name: windows of 256, in rising order, without zeros at the end (RFC 4034 §4.1.2). */
export const typeBitmap: Field = {
  parse: (words) => toBitmap(words.takeRest().map(({ text }) => toType(text))),
  read: (reader) => toBitmap(readBitmap(reader)),
  format: (reader) => readBitmap(reader).map(typeName).join(' '),
};

function toType(text: string): number {
  const type = parseType(text);
  if (type === undefined) throw new TextError(EXPECTED, showWord(text));
  return type;
}

function toBitmap(types: readonly number[]): string {
  const windows = Map.groupBy(
    [...new Set(types)].toSorted((a, b) => a - b),
    (type) => type >>> 8,
  );
  let wire = '';
  for (const [window, members] of windows) {
    const bits = new Uint8Array(((members.at(-1) ?? 0) & 255) / 8 + 1);
    for (const type of members) bits[(type & 255) >>> 3] = (bits[(type & 255) >>> 3] ?? 0) | (0x80 >>> (type & 7));
    wire += String.fromCharCode(window, bits.length, ...bits);
  }
  return wire;
}

function readBitmap(reader: RdataReader): number[] {
  const types: number[] = [];
  let last = -1;
  while (reader.left > 0) {
    const window = reader.u8();
    const bits = reader.string();
    if (window <= last) throw new WireError('windows of types out of order');
    if (bits.length === 0 || bits.length > MOST || bits.endsWith('\0'))
      throw new WireError('a window of types of the wrong length');
    for (let type = 0; type < bits.length * 8; type++) {
      if ((bits.charCodeAt(type >>> 3) & (0x80 >>> (type & 7))) !== 0) types.push((window << 8) | type);
    }
    last = window;
  }
  return types;
}
