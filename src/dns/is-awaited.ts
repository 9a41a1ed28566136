import type { NamePath } from '../wire/dns/name-path.ts';
import type { NameKey } from '../wire/dns/name.ts';

/** Whether a name is in a zone that is not here yet. Of a zone and one inside it the inner one counts. */
export function isAwaited(
  path: NamePath,
  awaited: ReadonlySet<NameKey>,
  here: { get(origin: NameKey): unknown },
): boolean {
  if (awaited.size === 0) return false;
  for (let label = 0; label <= path.labels; label++) {
    const key = path.key(label);
    if (awaited.has(key)) return true;
    if (here.get(key) !== undefined) return false;
  }
  return false;
}
