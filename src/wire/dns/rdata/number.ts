import type { Field } from './field.ts';
import type { RdataReader } from './rdata-reader.ts';
import { TextError } from './text-error.ts';
import { showWord, type Words } from './words.ts';

/** An unsigned number of so many octets, in decimal. `what`: "the preference". */
export function number(octets: 1 | 2 | 4, what: string): Field {
  const most = 2 ** (8 * octets) - 1;
  const expected = `${what}, a number up to ${most}`;
  return {
    parse(words) {
      return uint(parseNumber(words, most, expected), octets);
    },
    read: (reader) => reader.take(octets),
    format: (reader) => String(readUint(reader, octets)),
  };
}

/** A number that may be written as one of several words, or in decimal. */
export function namedNumber(octets: 1 | 2, what: string, names: Readonly<Record<string, number>>): Field {
  const plain = number(octets, what);
  const most = 2 ** (8 * octets) - 1;
  const expected = `${what}, a number up to ${most} or its name`;
  return {
    ...plain,
    parse(words) {
      const { text } = words.take(expected);
      const known = names[text.toUpperCase()];
      return uint(known ?? toNumber(text, most, expected), octets);
    },
  };
}

/** Big endian. */
export function uint(value: number, octets: number): string {
  let wire = '';
  for (let shift = 8 * (octets - 1); shift >= 0; shift -= 8) wire += String.fromCharCode((value >>> shift) & 255);
  return wire;
}

function parseNumber(words: Words, most: number, expected: string): number {
  return toNumber(words.take(expected).text, most, expected);
}

export function toNumber(text: string, most: number, expected: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= most)) throw new TextError(expected, showWord(text));
  return value;
}

function readUint(reader: RdataReader, octets: 1 | 2 | 4): number {
  if (octets === 1) return reader.u8();
  return octets === 2 ? reader.u16() : reader.u32();
}
