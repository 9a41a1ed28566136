/** Which bytes of a file to send; both ends included, counted from 0. */
export type ByteRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' };

const WHOLE: ByteRange = { kind: 'whole' };
const UNSATISFIABLE: ByteRange = { kind: 'unsatisfiable' };
/** RFC 9110 §14.1.2, one range only: "0-499", "500-", "-500". */
const BYTE_RANGE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/**
 * Reads a Range header for a file of `size` bytes. A server may ignore the header (RFC 9110 §14.2), and so does this one
 * for several ranges, another unit or bad spelling: the whole file is the answer.
 */
export function selectRange(header: string | undefined, size: number): ByteRange {
  const match = BYTE_RANGE.exec(header ?? '');
  const from = match?.[1] ?? '';
  const to = match?.[2] ?? '';
  if (from === '') return to === '' ? WHOLE : lastBytes(Number(to), size);
  const first = Number(from);
  if (to !== '' && Number(to) < first) return WHOLE;
  if (first >= size) return UNSATISFIABLE;
  return { kind: 'part', first, last: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}

/** A suffix longer than the file means all of it (RFC 9110 §14.1.2). */
function lastBytes(count: number, size: number): ByteRange {
  if (count === 0 || size === 0) return UNSATISFIABLE;
  return { kind: 'part', first: Math.max(0, size - count), last: size - 1 };
}
