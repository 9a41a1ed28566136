const MOST_DEPTH = 16;

/**
 * JSON as PostgreSQL takes it: it has no character 0 and no half of a pair (RFC 8259 allows both to be written), and nothing of
 * ours is so deep. What it can't have is replaced, as one odd word must not hold up all that follows it.
 */
export function storable(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\uFFFD');
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MOST_DEPTH) return null;
  if (Array.isArray(value)) return value.map((item) => storable(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [String(storable(key)), storable(item, depth + 1)]),
  );
}
