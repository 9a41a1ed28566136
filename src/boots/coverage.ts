/** The bytes of a file that were sent: spans in rising order, apart from each other, both ends included. */
export interface Coverage {
  readonly size: number;
  readonly spans: readonly (readonly [first: number, last: number])[];
}

/** A client that leaves more holes than this asks at random, and will ask again. */
const MOST_SPANS = 256;

/** `known` and one more span. A file that has another size now is another file: what was sent of it before counts no more. */
export function cover(known: Coverage | undefined, size: number, first: number, last: number): Coverage {
  const before = known?.size === size ? known.spans : [];
  const merged: [number, number][] = [];
  for (const [from, to] of [...before, [first, last] as const].toSorted((a, b) => a[0] - b[0])) {
    const previous = merged.at(-1);
    if (previous && from <= previous[1] + 1) previous[1] = Math.max(previous[1], to);
    else merged.push([from, to]);
  }
  return { size, spans: merged.slice(0, MOST_SPANS) };
}

export function isWhole(coverage: Coverage | undefined): boolean {
  if (!coverage) return false;
  const [span] = coverage.spans;
  return coverage.size === 0 || (span?.[0] === 0 && span[1] >= coverage.size - 1);
}
