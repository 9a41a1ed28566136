import * as z from 'zod';

import { parseCidr } from '../../addr/cidr.ts';
import { parseIp4 } from '../../addr/ip4.ts';
import { formatMac, parseMac } from '../../addr/mac.ts';

/** A field of a form comes as the list of all that was given for it: of a single value the last counts. */
function field<T>(expected: string, read: (text: string) => T | undefined, description: string) {
  return z
    .array(z.string())
    .transform((values, context): T => {
      const value = read((values.at(-1) ?? '').trim());
      if (value !== undefined) return value;
      context.issues.push({ code: 'custom', message: `expected ${expected}`, input: values });
      return z.NEVER;
    })
    .describe(description);
}

export function text(description: string, most = 1_000) {
  const expected = `at most ${most} characters, none of them a control character`;
  return field(expected, (value) => (value.length <= most && !/\p{Cc}/u.test(value) ? value : undefined), description);
}

export function count(description: string, least = 0, most = 2_147_483_647) {
  const expected = `a whole number from ${least} to ${most}`;
  const read = (value: string): number | undefined =>
    /^-?\d{1,10}$/.test(value) && Number(value) >= least && Number(value) <= most ? Number(value) : undefined;
  return field(expected, read, description);
}

export function truth(description: string) {
  return field('true or false', (value) => TRUTHS.get(value.toLowerCase()), description);
}

const TRUTHS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['off', false],
]);

export function address(description: string) {
  return field('an IPv4 address', (value) => (parseIp4(value) === undefined ? undefined : value), description);
}

/** Gives null for nothing: the address is taken away. */
export function addressOrNothing(description: string) {
  return field('an IPv4 address, or nothing', addressOrNull, description);
}

function addressOrNull(value: string): string | null | undefined {
  if (value === '') return null;
  return parseIp4(value) === undefined ? undefined : value;
}

export function network(description: string) {
  return field('a network like 192.168.127.0/24', (value) => (parseCidr(value) ? value : undefined), description);
}

export function mac(description: string) {
  return field('a MAC address', usualMac, description);
}

function usualMac(value: string): string | undefined {
  const parsed = parseMac(value);
  return parsed === undefined ? undefined : formatMac(parsed);
}

export function domainName(description: string) {
  const label = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?';
  const pattern = new RegExp(`^${label}(\\.${label})*$`);
  const read = (value: string): string | undefined => {
    const name = value.toLowerCase().replace(/\.$/, '');
    return name.length <= 189 && pattern.test(name) ? name : undefined;
  };
  return field('a name as DNS has them', read, description);
}

export function oneOf<const T extends string>(choice: readonly T[], description: string) {
  return field(`one of ${choice.join(', ')}`, (value) => choice.find((word) => word === value), description);
}

/** Each given by itself, or all in one with commas or blanks between. */
export function words(description: string) {
  return z
    .array(z.string())
    .transform((values, context): string[] => {
      const all = values.flatMap((value) => value.split(/[\s,]+/)).filter((value) => value !== '');
      if (all.every((value) => /^[\w.*+:/-]{1,100}$/.test(value))) return all;
      context.issues.push({ code: 'custom', message: 'expected words of letters, digits and ._+:/*-', input: values });
      return z.NEVER;
    })
    .describe(description);
}

/** An id in a path; of no thing where it is none. */
export function idOf(uri: string | undefined): number {
  return uri !== undefined && /^\d{1,9}$/.test(uri) ? Number(uri) : 0;
}
