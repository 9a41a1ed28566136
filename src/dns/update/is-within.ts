import type { NameKey } from '../../wire/dns/name.ts';

/** Whether a name is the origin or below it: its end is the origin, and begins at a label. */
export function isWithin(name: NameKey, origin: NameKey): boolean {
  const above = name.length - origin.length;
  if (above < 0 || !name.endsWith(origin)) return false;
  let at = 0;
  while (at < above) at += 1 + name.charCodeAt(at);
  return at === above;
}
