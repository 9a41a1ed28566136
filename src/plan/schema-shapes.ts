import * as z from 'zod';

export function mapping<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape, { error: `a mapping with ${Object.keys(shape).join(', ')}` });
}

export function count(least: number, most: number, standard: number) {
  const expected = `a whole number from ${least} to ${most}`;
  return z.int(expected).min(least, expected).max(most, expected).prefault(standard);
}

export function list<T extends z.ZodType>(element: T, expected: string) {
  return z.array(element, { error: expected });
}

/** Gives a list either way. */
export function oneOrMore<T extends z.ZodType>(element: T, expected: string) {
  return z
    .union([element, z.array(element).min(1, expected)])
    .transform((value): z.output<T>[] => (Array.isArray(value) ? value : [value]));
}

/** Gives true for on. */
export function onOrOff() {
  return z.enum(['on', 'off'], { error: 'on or off' }).transform((word) => word === 'on');
}
