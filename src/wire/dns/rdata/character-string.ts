import { WireError } from '../../wire-error.ts';
import { quote, unescape } from './escape.ts';
import type { Field } from './field.ts';
import type { RdataReader } from './rdata-reader.ts';
import { TextError } from './text-error.ts';
import { showWord, type Word } from './words.ts';

const MOST = 255;

/** One character string (RFC 1035 §3.3). */
export function string(what: string): Field {
  return {
    parse: (words) => wireOf(words.take(`${what}, a text`)),
    read: (reader) => withLength(reader.string()),
    format: (reader) => quote(reader.string()),
  };
}

/** One or more of them, to the end (RFC 1035 §3.3.14). */
export const strings: Field = {
  parse(words) {
    const first = words.take('a text, in quotes if it has blanks');
    return [first, ...words.takeRest()].map(wireOf).join('');
  },
  read(reader) {
    let wire = '';
    do wire += withLength(reader.string());
    while (reader.left > 0);
    return wire;
  },
  format(reader) {
    const texts: string[] = [];
    do texts.push(quote(reader.string()));
    while (reader.left > 0);
    return texts.join(' ');
  },
};

/** Text without a length, to the end (RFC 8659 §4.1, RFC 7553 §4.4). `least`: octets. */
export function longString(what: string, least: 0 | 1): Field {
  const expected = least === 0 ? what : `${what}, which is not empty`;
  const rest = (reader: RdataReader): string => {
    if (reader.left < least) throw new WireError(`expected ${expected}`);
    return reader.takeRest();
  };
  return {
    parse(words) {
      const octets = octetsOf(words.take(`${what}, a text`));
      if (octets.length < least) throw new TextError(expected, 'an empty text');
      return octets;
    },
    read: rest,
    format: (reader) => quote(rest(reader)),
  };
}

export function withLength(octets: string): string {
  return String.fromCharCode(octets.length) + octets;
}

function wireOf(word: Word): string {
  const octets = octetsOf(word);
  if (octets.length > MOST) throw new TextError(`a text of at most ${MOST} octets`, `one of ${octets.length}`);
  return withLength(octets);
}

/** A quote inside a word is a slip of the pen: some servers take it for the beginning of another text. */
function octetsOf({ text, isQuoted }: Word): string {
  if (!isQuoted && /(?<!\\)(\\\\)*"/.test(text)) throw new TextError('a blank before a quote', showWord(text));
  return unescape(text);
}
