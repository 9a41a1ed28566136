import * as z from 'zod';

import { netmask } from '../../addr/cidr.ts';
import { formatIp4, parseIp4 } from '../../addr/ip4.ts';
import { formatIp6, parseIp6 } from '../../addr/ip6.ts';
import { formatMac } from '../../addr/mac.ts';
import { base64Text, cidrText, domainText, interfaceText, ip4Text, macText } from '../../plan/text-forms.ts';

/** What a contract says of a field, as JSON Schema has it. */
type FieldForm = Readonly<Record<string, unknown>>;

/** A field of a form comes as the list of all that was given for it: of a single value the last counts. */
function field<T>(
  expected: string,
  read: (text: string) => T | undefined,
  description: string,
  form: FieldForm = { type: 'string' },
) {
  return z
    .array(z.string())
    .transform((values, context): T => {
      const value = read((values.at(-1) ?? '').trim());
      if (value !== undefined) return value;
      context.issues.push({ code: 'custom', message: `expected ${expected}`, input: values });
      return z.NEVER;
    })
    .meta({ description, form });
}

/** Read by a form of the rack's own file, so that both take the same; what it says of a text that will not do is said here. */
function likeRack<T, V>(form: z.ZodType<T, string>, write: (value: T, word: string) => V, description: string) {
  return z
    .array(z.string())
    .transform((values, context): V => {
      const word = (values.at(-1) ?? '').trim();
      const result = form.safeParse(word);
      if (result.success) return write(result.data, word);
      const message = `expected ${result.error.issues[0]?.message ?? 'another text'}`;
      context.issues.push({ code: 'custom', message, input: values });
      return z.NEVER;
    })
    .meta({ description, form: { type: 'string' } });
}

export function text(description: string, most = 1_000) {
  const expected = `at most ${most} characters, none of them a control character`;
  const read = (value: string): string | undefined =>
    value.length <= most && !/\p{Cc}/u.test(value) ? value : undefined;
  return field(expected, read, description, { type: 'string', maxLength: most });
}

export function count(description: string, least = 0, most = 2_147_483_647) {
  const expected = `a whole number from ${least} to ${most}`;
  const read = (value: string): number | undefined =>
    /^\d{1,16}$/.test(value) && Number(value) >= least && Number(value) <= most ? Number(value) : undefined;
  return field(expected, read, description, { type: 'integer', minimum: least, maximum: most });
}

/** Gives null for nothing. */
export function countOrNothing(description: string, least: number, most: number) {
  const expected = `a whole number from ${least} to ${most}, or nothing`;
  const read = (value: string): number | null | undefined => {
    if (value === '') return null;
    return /^\d{1,10}$/.test(value) && Number(value) >= least && Number(value) <= most ? Number(value) : undefined;
  };
  return field(expected, read, description);
}

export function truth(description: string) {
  return field('true or false', readTruth, description, { type: 'boolean' });
}

/** As people write it. */
export function readTruth(value: string): boolean | undefined {
  if (/^(?:true|1|yes|on)$/i.test(value)) return true;
  return /^(?:false|0|no|off)$/i.test(value) ? false : undefined;
}

export function address(description: string) {
  return likeRack(ip4Text, (value) => formatIp4(value), description);
}

/** Gives null for nothing: the address is taken away. */
export function addressOrNothing(description: string) {
  return field('an IPv4 address like 192.168.127.254, or nothing', addressOrNull, description);
}

function addressOrNull(value: string): string | null | undefined {
  if (value === '') return null;
  return ip4Text.safeParse(value).success ? value : undefined;
}

export function mask(description: string) {
  return field('a mask like 255.255.255.0', (value) => (MASKS.has(value) ? value : undefined), description);
}

const MASKS: ReadonlySet<string> = new Set(Array.from({ length: 33 }, (_, prefix) => formatIp4(netmask(prefix))));

/** IPv4 and IPv6, in their usual spelling. */
export function addresses(description: string) {
  return words(description, 'addresses', (word) => {
    const ip4 = parseIp4(word);
    if (ip4 !== undefined) return formatIp4(ip4);
    const ip6 = word.includes(':') ? parseIp6(word) : undefined;
    return ip6 === undefined ? undefined : formatIp6(ip6);
  });
}

export function networkOf(description: string) {
  return likeRack(cidrText, (_value, word) => word, description);
}

export function mac(description: string) {
  return likeRack(macText, (value) => formatMac(value), description);
}

export function domainName(description: string) {
  return likeRack(domainText, (value) => value, description);
}

export function interfaceName(description: string) {
  return likeRack(interfaceText, (value) => value, description);
}

/** Nothing is text in it, too. Gives it in one line and with all its signs at the end. */
export function base64(description: string) {
  return field('text in base64, as `base64 FILE` prints it', usualBase64, description);
}

function usualBase64(value: string): string | undefined {
  if (value === '') return '';
  const result = base64Text.safeParse(value);
  if (!result.success) return undefined;
  const usual = Buffer.from(result.data, 'base64').toString('base64');
  const isWhole = usual.replace(/=+$/, '') === result.data.replace(/=+$/, '');
  return isWhole && usual !== '' ? usual : undefined;
}

export function oneOf<const T extends string>(choice: readonly T[], description: string) {
  const read = (value: string): T | undefined => choice.find((word) => word === value);
  return field(`one of ${choice.join(', ')}`, read, description, { type: 'string', enum: choice });
}

/** Each given by itself, or all in one with commas or blanks between. */
export function words(
  description: string,
  what = 'words of letters, digits and ._+~:/*-',
  read: (word: string) => string | undefined = plainWord,
) {
  return z
    .array(z.string())
    .transform((values, context): string[] => {
      const all = values.flatMap((value) => value.split(/[\s,]+/)).filter((value) => value !== '');
      const good = all.map(read).filter((value) => value !== undefined);
      if (good.length === all.length) return good;
      context.issues.push({ code: 'custom', message: `expected ${what}`, input: values });
      return z.NEVER;
    })
    .meta({ description, form: { type: 'array', items: { type: 'string' } } });
}

function plainWord(word: string): string | undefined {
  return /^[\w.*+~:/-]{1,128}$/.test(word) ? word : undefined;
}

/** An id in a path; of no thing where it is none. */
export function idOf(uri: string | undefined): number {
  return uri !== undefined && /^\d{1,9}$/.test(uri) ? Number(uri) : 0;
}

/** What a handler says of one of its fields. */
export interface FieldFacts {
  readonly name: string;
  readonly isRequired: boolean;
  readonly description: string;
  readonly form: FieldForm;
}

export function fieldsOf(parameters: z.ZodObject | undefined): FieldFacts[] {
  return Object.entries(parameters?.shape ?? {}).map(([name, schema]) => {
    let inner = schema as z.ZodType;
    // What may be absent anyhow, and then in an update too, is wrapped twice
    while (inner instanceof z.ZodOptional) inner = inner.unwrap() as z.ZodType;
    const { description = '', form } = inner.meta() ?? {};
    return { name, isRequired: !(schema instanceof z.ZodOptional), description, form: form as FieldForm };
  });
}
