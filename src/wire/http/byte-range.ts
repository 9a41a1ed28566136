/** Bytes of a file; both ends included, counted from 0. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/** Which bytes of a file to send. `parts`: at least one, none meeting another. */
export type ByteRanges =
  | { readonly kind: 'whole' }
  | { readonly kind: 'parts'; readonly parts: readonly Span[] }
  | { readonly kind: 'unsatisfiable' };

const WHOLE: ByteRanges = { kind: 'whole' };
const UNSATISFIABLE: ByteRanges = { kind: 'unsatisfiable' };
/** RFC 9110 §14.1.2: "0-499", "500-", "-500", or several of them, with blanks and empty elements as §5.6.1 has lists. */
const UNIT = /^bytes=/i;
const RANGE_SPEC = /^(\d*)-(\d*)$/;
/** Disk images are read by two or three at a time; whoever wants more is after our CPU (RFC 9110 §17.15). */
const MOST_RANGES = 16;
/** What stands between two parts costs more than so many bytes sent for nothing (RFC 9110 §15.3.7.2). */
const SMALLEST_GAP = 80;

/**
 * Reads a Range header for a file of `size` bytes. A server may ignore the header (RFC 9110 §14.2), and so does this one
 * for too many ranges, another unit or bad spelling: the whole file is the answer. Ranges that meet are made one, so
 * that no answer has more bytes of the file than the file.
 */
export function selectRanges(header: string | undefined, size: number): ByteRanges {
  if (header === undefined || !UNIT.test(header)) return WHOLE;
  const specs = header.slice('bytes='.length).split(',', MOST_RANGES + 1);
  const written = specs.map((spec) => spec.replaceAll(/^[ \t]+|[ \t]+$/g, '')).filter((spec) => spec !== '');
  if (specs.length > MOST_RANGES || written.length === 0) return WHOLE;
  const parts: Span[] = [];
  for (const spec of written) {
    const span = readSpec(spec, size);
    if (span === undefined) return WHOLE;
    if (span !== 'outside') parts.push(span);
  }
  return parts.length === 0 ? UNSATISFIABLE : { kind: 'parts', parts: coalesce(parts) };
}

/** Undefined where it is not spelled as a range must be. */
function readSpec(spec: string, size: number): Span | 'outside' | undefined {
  const match = RANGE_SPEC.exec(spec);
  const from = match?.[1] ?? '';
  const to = match?.[2] ?? '';
  if (from === '') return to === '' ? undefined : lastBytes(Number(to), size);
  const first = Number(from);
  if (to !== '' && Number(to) < first) return undefined;
  if (first >= size) return 'outside';
  return { first, last: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}

/** A suffix longer than the file means all of it (RFC 9110 §14.1.2). */
function lastBytes(count: number, size: number): Span | 'outside' {
  if (count === 0 || size === 0) return 'outside';
  return { first: Math.max(0, size - count), last: size - 1 };
}

/** In the order they were asked for, unless two of them meet (RFC 9110 §15.3.7.2). */
function coalesce(parts: readonly Span[]): readonly Span[] {
  const merged: Span[] = [];
  for (const part of parts.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before === undefined || part.first > before.last + SMALLEST_GAP) merged.push(part);
    else merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, part.last) };
  }
  return merged.length === parts.length ? parts : merged;
}
