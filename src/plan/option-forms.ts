import * as z from 'zod';
import { parseCidr } from '../addr/cidr.ts';
import { UNSPECIFIED } from '../addr/ip4.ts';
import { parseDuration } from './duration.ts';
import type { OptionKind, OptionValue } from './option-value.ts';
import { domainText, ip4Text, textForm } from './text-forms.ts';

const U32 = 0xffffffff;
const NETWORK = 'a network like 10.0.0.0/8, without host bits';

export const printableText = textForm({
  expected: 'text of printable ASCII characters',
  pattern: /^[ -~]+$/,
  parse: (text) => (/^[ -~]+$/.test(text) ? text : undefined),
});

/** Gives pairs of lower-case digits without separators. */
export const hexText = textForm({
  expected: 'bytes as pairs of hex digits like "0a1bff" or "0a:1b:ff"',
  pattern: /^[0-9A-Fa-f]{2}([ :-]?[0-9A-Fa-f]{2})*$/,
  parse: (text) =>
    /^[0-9a-f]{2}([ :-]?[0-9a-f]{2})*$/i.test(text) ? text.replaceAll(/[ :-]/g, '').toLowerCase() : undefined,
});

const durationText = textForm({
  expected: 'a time like 90s, 30m, 12h or 7d',
  parse: (text) => {
    const seconds = parseDuration(text);
    return seconds !== undefined && seconds <= U32 ? seconds : undefined;
  },
});

const viaText = z.union([
  z.literal('0.0.0.0', { error: 'the address of a router, or 0.0.0.0' }).transform(() => UNSPECIFIED),
  ip4Text,
]);

const routesForm = z
  .record(
    z.string().refine((key) => parseCidr(key) !== undefined, NETWORK),
    viaText,
    {
      error: 'a mapping of networks to their routers like { 10.0.0.0/8: 192.168.127.9 }',
    },
  )
  .refine((routes) => Object.keys(routes).length > 0, 'at least one route')
  .transform((routes): OptionValue => {
    const value = Object.entries(routes).flatMap(([network, via]) => {
      const to = parseCidr(network);
      return to ? [{ to, via }] : [];
    });
    return { kind: 'routes', value };
  });

/** How the value of each kind is written; option 43 with its sub-options is put together from these. */
export const OPTION_FORMS: Readonly<Record<Exclude<OptionKind, 'suboptions'>, z.ZodType<OptionValue>>> = {
  ip4: ip4Text.transform((value): OptionValue => ({ kind: 'ip4', value })),
  'ip4-list': oneOrMore(ip4Text).transform((value): OptionValue => ({ kind: 'ip4-list', value })),
  u8: whole(255).transform((value): OptionValue => ({ kind: 'u8', value })),
  u16: whole(65_535).transform((value): OptionValue => ({ kind: 'u16', value })),
  u32: whole(U32).transform((value): OptionValue => ({ kind: 'u32', value })),
  duration: durationText.transform((value): OptionValue => ({ kind: 'duration', value })),
  boolean: z.boolean({ error: 'true or false' }).transform((value): OptionValue => ({ kind: 'boolean', value })),
  text: printableText.transform((value): OptionValue => ({ kind: 'text', value })),
  'domain-list': oneOrMore(domainText).transform((value): OptionValue => ({ kind: 'domain-list', value })),
  routes: routesForm,
  hex: hexText.transform((value): OptionValue => ({ kind: 'hex', value })),
};

export const OPTION_KINDS: readonly string[] = [...Object.keys(OPTION_FORMS), 'suboptions'];

export function isOptionKind(word: string): word is OptionKind {
  return OPTION_KINDS.includes(word);
}

function whole(most: number) {
  const expected = `a whole number from 0 to ${most}`;
  return z.int(expected).min(0, expected).max(most, expected);
}

function oneOrMore<T extends z.ZodType>(element: T) {
  return z
    .union([element, z.array(element).min(1, 'at least one')])
    .transform((value): z.output<T>[] => (Array.isArray(value) ? value : [value]));
}
