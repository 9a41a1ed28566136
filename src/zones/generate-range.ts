import { TextError } from '../wire/dns/rdata/text-error.ts';
import { showWord } from '../wire/dns/rdata/words.ts';

/** A /16 of reverse names in one line. */
const MOST = 65_536;
const RANGE = /^(\d{1,10})-(\d{1,10})(?:\/(\d{1,10}))?$/;
/** `$$` and `\$` are a dollar sign; `$` alone or with `{offset,width,base}` is the number. */
const PLACE = /\$\$|\\\$|\$(?:\{([^}]*)\})?/g;
const MODIFIER = /^(-?\d{1,10})(?:,(\d{1,3})(?:,([doxXnN]))?)?$/;
/** A label has at most 63, a name 127 nibbles. */
const WIDEST = 255;

/** The numbers of "1-10/2". Throws TextError. */
export function generateRange(text: string): readonly number[] {
  const [, from = '', to = '', step = '1'] = RANGE.exec(text) ?? [];
  const [first, last, by] = [Number(from), Number(to), Number(step)];
  const count = Math.floor((last - first) / by) + 1;
  if (from === '' || by === 0 || last < first || last >= 2 ** 31) {
    throw new TextError('a range like 1-10 or 0-20/2', showWord(text));
  }
  if (count > MOST) throw new TextError(`a range of at most ${MOST} numbers`, `one of ${count}`);
  return Array.from({ length: count }, (_, i) => first + i * by);
}

/** A template with the number in each of its places. Throws TextError. */
export function fillTemplate(template: string, number: number): string {
  return template.replaceAll(PLACE, (place: string, modifier: string | undefined) => {
    if (place === '$$' || place === '\\$') return '$';
    return modifier === undefined ? String(number) : formatNumber(number, modifier);
  });
}

function formatNumber(number: number, modifier: string): string {
  const match = MODIFIER.exec(modifier);
  const [, offset = '0', width = '0', base = 'd'] = match ?? [];
  const value = number + Number(offset);
  if (!match || Number(width) > WIDEST || value < 0) {
    throw new TextError('${offset,width,base} with a base of d, o, x, X, n or N', showWord(`\${${modifier}}`));
  }
  if (base === 'n' || base === 'N') return nibbles(value, Number(width), base === 'N');
  const digits = value.toString(base === 'd' ? 10 : base === 'o' ? 8 : 16).padStart(Number(width), '0');
  return base === 'X' ? digits.toUpperCase() : digits;
}

/** As in ip6.arpa: hex digits, the lowest first, with dots. The width counts the dots too: an even one ends in a dot. */
function nibbles(value: number, width: number, isUpper: boolean): string {
  const digits = value.toString(16).split('').toReversed().join('.');
  const text = digits.length < width ? `${digits}${'.0'.repeat(Math.ceil(width / 2))}`.slice(0, width) : digits;
  return isUpper ? text.toUpperCase() : text;
}
