import type { RackEvent } from '../../src/timeline/event.ts';

/** What one event is known by, at a rack and at its region. */
export function signOf({
  at,
  kind,
  mac,
  address,
}: Pick<RackEvent, 'at' | 'mac' | 'address'> & { readonly kind: string }): string {
  return [at, kind, mac ?? '', address ?? ''].join(' ');
}
