import { WireError } from '../../wire-error.ts';
import { withLength } from './character-string.ts';
import type { Field } from './field.ts';
import type { RdataReader } from './rdata-reader.ts';
import { TextError } from './text-error.ts';
import { showWord, type Words } from './words.ts';

const BASE32_HEX = '0123456789abcdefghijklmnopqrstuv';
const MOST_WITH_LENGTH = 255;

/** Hex digits to the end, with blanks wherever (RFC 4034 §5.3). */
export function hex(what: string): Field {
  return {
    parse(words) {
      const octets = hexOctets(restOf(words, what), what);
      if (octets === '') throw new TextError(what, 'nothing');
      return octets;
    },
    read: (reader) => takeSome(reader, what),
    format: (reader) => toHex(takeSome(reader, what)),
  };
}

/** Base64 to the end, with blanks wherever (RFC 4034 §2.2). */
export function base64(what: string): Field {
  return {
    parse: (words) => base64Octets(restOf(words, what), what),
    read: (reader) => takeSome(reader, what),
    format: (reader) => Buffer.from(takeSome(reader, what), 'latin1').toString('base64'),
  };
}

/** A salt of NSEC3: its length, then hex; "-" for none (RFC 5155 §3.3). */
export const salt: Field = {
  parse(words) {
    const what = 'the salt, hex digits or -';
    const { text } = words.take(what);
    const octets = text === '-' ? '' : hexOctets(text, what);
    if (octets.length > MOST_WITH_LENGTH)
      throw new TextError(`a salt of at most ${MOST_WITH_LENGTH} octets`, showWord(text));
    return withLength(octets);
  },
  read: (reader) => withLength(reader.string()),
  format: (reader) => toHex(reader.string()) || '-',
};

/** The hash of a name: its length, then base32hex without padding (RFC 5155 §3.3). */
export const hashedOwner: Field = {
  parse(words) {
    const what = 'the hash of the next name, in base32hex';
    const { text } = words.take(what);
    const octets = base32Octets(text);
    if (octets === undefined || octets === '') throw new TextError(what, showWord(text));
    return withLength(octets);
  },
  read: (reader) => withLength(readHash(reader)),
  format: (reader) => toBase32(readHash(reader)),
};

function readHash(reader: RdataReader): string {
  const octets = reader.string();
  if (octets === '') throw new WireError('an empty hash');
  return octets;
}

/** A hardware address as 00-00-5e-00-53-2a (RFC 7043 §3.2). */
export function hardwareAddress(octets: 6 | 8): Field {
  const expected = `an address of ${octets} octets like ${'00-'.repeat(octets - 1)}2a`;
  const pattern = new RegExp(`^[0-9a-f]{2}(-[0-9a-f]{2}){${octets - 1}}$`, 'i');
  return {
    parse(words) {
      const { text } = words.take(expected);
      if (!pattern.test(text)) throw new TextError(expected, showWord(text));
      return Buffer.from(text.replaceAll('-', ''), 'hex').toString('latin1');
    },
    read: (reader) => reader.take(octets),
    format: (reader) => toHex(reader.take(octets)).match(/../g)?.join('-') ?? '',
  };
}

export function hexOctets(text: string, what: string): string {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new TextError(`${what}, pairs of hex digits`, showWord(text));
  return Buffer.from(text, 'hex').toString('latin1');
}

/** Padded, and without bits behind the last octet. */
export function base64Octets(text: string, what: string): string {
  const octets = Buffer.from(text, 'base64');
  if (text === '' || octets.toString('base64') !== text) throw new TextError(`${what}, in base64`, showWord(text));
  return octets.toString('latin1');
}

export function toHex(octets: string): string {
  return Buffer.from(octets, 'latin1').toString('hex');
}

function restOf(words: Words, what: string): string {
  const first = words.take(what);
  return [first, ...words.takeRest()].map(({ text }) => text).join('');
}

function takeSome(reader: RdataReader, what: string): string {
  if (reader.left === 0) throw new WireError(`expected ${what}, found nothing`);
  return reader.takeRest();
}

function base32Octets(text: string): string | undefined {
  let octets = '';
  let [bits, width] = [0, 0];
  for (const digit of text.toLowerCase()) {
    const value = BASE32_HEX.indexOf(digit);
    if (value < 0) return undefined;
    bits = ((bits << 5) | value) & 0xfff;
    width += 5;
    if (width < 8) continue;
    width -= 8;
    octets += String.fromCharCode((bits >>> width) & 255);
  }
  const isWhole = width < 5 && (bits & ((1 << width) - 1)) === 0;
  return isWhole && octets.length <= MOST_WITH_LENGTH ? octets : undefined;
}

function toBase32(octets: string): string {
  let text = '';
  let [bits, width] = [0, 0];
  for (let at = 0; at < octets.length; at++) {
    bits = ((bits << 8) | octets.charCodeAt(at)) & 0xfff;
    for (width += 8; width >= 5;) {
      width -= 5;
      text += BASE32_HEX[(bits >>> width) & 31] ?? '';
    }
  }
  return width > 0 ? text + (BASE32_HEX[(bits << (5 - width)) & 31] ?? '') : text;
}
