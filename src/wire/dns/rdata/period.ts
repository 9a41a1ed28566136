import type { Field } from './field.ts';
import { uint } from './number.ts';
import { TextError } from './text-error.ts';
import { showWord } from './words.ts';

const MOST = 2 ** 32 - 1;
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** A time in seconds: a number, or parts with units. `what`: "the refresh time". */
export function period(what: string): Field {
  const expected = `${what}, seconds or a time like 1h30m`;
  return {
    parse(words) {
      const { text } = words.take(expected);
      const seconds = parsePeriod(text);
      if (seconds === undefined) throw new TextError(expected, showWord(text));
      return uint(seconds, 4);
    },
    read: (reader) => reader.take(4),
    format: (reader) => String(reader.u32()),
  };
}

/** "3600", "1h30m", "1W2D"; undefined for what is none, or is more than 32 bits hold. */
export function parsePeriod(text: string): number | undefined {
  const seconds = /^\d{1,10}$/.test(text) ? Number(text) : sumOfParts(text);
  return seconds !== undefined && seconds <= MOST ? seconds : undefined;
}

/** Each unit once would be all there is to say, but BIND adds up whatever comes. */
function sumOfParts(text: string): number | undefined {
  if (!/^(\d{1,10}[smhdw])+$/i.test(text)) return undefined;
  let seconds = 0;
  for (const [, digits, unit = ''] of text.matchAll(/(\d+)([a-z])/gi)) {
    seconds += Number(digits) * (UNITS[unit.toLowerCase()] ?? 0);
  }
  return seconds;
}
