import type { Field } from './field.ts';
import { uint } from './number.ts';
import { TextError } from './text-error.ts';
import { showWord } from './words.ts';

const MOST = 2 ** 32 - 1;

/** A point in time, Unix seconds in 32 bits, written YYYYMMDDHHmmSS or as a number (RFC 4034 §3.2). */
export function timestamp(what: string): Field {
  const expected = `${what}, a time like 20261231235959`;
  return {
    parse(words) {
      const { text } = words.take(expected);
      const seconds = /^\d{14}$/.test(text) ? dateSeconds(text) : /^\d{1,10}$/.test(text) ? Number(text) : undefined;
      if (seconds === undefined || seconds > MOST) throw new TextError(expected, showWord(text));
      return uint(seconds, 4);
    },
    read: (reader) => reader.take(4),
    format: (reader) =>
      new Date(reader.u32() * 1000)
        .toISOString()
        .replaceAll(/\D|\.\d+Z$/g, '')
        .slice(0, 14),
  };
}

/** Undefined for what is on no calendar. */
function dateSeconds(text: string): number | undefined {
  const iso = text.replace(/(....)(..)(..)(..)(..)(..)/, '$1-$2-$3T$4:$5:$6.000Z');
  const milliseconds = Date.parse(iso);
  const isReal = milliseconds >= 0 && new Date(milliseconds).toISOString() === iso;
  return isReal ? milliseconds / 1000 : undefined;
}
