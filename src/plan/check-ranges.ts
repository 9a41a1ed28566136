import { cidrContains, formatCidr, type Cidr } from '../addr/cidr.ts';
import type { Ip4 } from '../addr/ip4.ts';
import { formatRange, rangeContains, rangesOverlap, type Range } from '../addr/range.ts';
import type { SubnetDraft } from './config-draft.ts';
import type { FaultBook } from './fault-book.ts';
import { oneLine, type Path } from './fault.ts';
import { withSuggestion } from './nearest-name.ts';
import type { Subnet } from './plan.ts';

/** An address that nobody may be given, and why: "the router 192.168.127.254". */
export interface Reserved {
  readonly address: Ip4;
  readonly what: string;
}

/** What the ranges of a subnet are held against. */
interface RangeGround {
  readonly cidr: Cidr;
  readonly reserved: readonly Reserved[];
}

interface Placed {
  readonly range: Range;
  readonly path: Path;
  /** "the dynamic range" */
  readonly what: string;
}

/** Each range lies in its subnet, holds nobody else's address, and meets none of those above it. */
export function checkRanges(book: FaultBook, draft: SubnetDraft, path: Path, ground: RangeGround): void {
  const ranges = rangesOf(draft, path);
  for (const placed of ranges) checkRange(book, placed, ground);
  for (const [i, later] of ranges.entries()) {
    const earlier = ranges.slice(0, i).find((other) => rangesOverlap(other.range, later.range));
    if (!earlier) continue;
    const where = book.whereIs(earlier.path);
    book.report(later.path, `a range apart from ${earlier.what} ${formatRange(earlier.range)} ${where}`);
  }
}

/** A pool is for a class that is in the file. */
export function checkPoolClasses(
  book: FaultBook,
  { pools = [] }: SubnetDraft,
  path: Path,
  classNames: ReadonlySet<string>,
): void {
  if (book.lost(['classes'])) return;
  for (const [i, pool] of pools.entries()) {
    const name = pool.class;
    if (classNames.has(name.toLowerCase())) continue;
    const known = [...classNames];
    const expected = known.length === 0 ? 'the name of a class (the file has none)' : `one of ${known.join(', ')}`;
    book.report([...path, 'pools', i, 'class'], expected, { found: withSuggestion(name, known, oneLine(name)) });
  }
}

/** The pools as they are in the Plan. */
export function poolsOf({ pools = [] }: SubnetDraft): Pick<Subnet, 'pools'> {
  if (pools.length === 0) return {};
  return { pools: pools.map((pool) => ({ range: pool.range, class: pool.class.toLowerCase() })) };
}

function rangesOf(draft: SubnetDraft, path: Path): Placed[] {
  const named = (['dynamic', 'static'] as const).flatMap((key): Placed[] => {
    const range = draft[key];
    return range ? [{ range, path: [...path, key], what: `the ${key} range` }] : [];
  });
  const pools = (draft.pools ?? []).map(({ range }, i) => {
    return { range, path: [...path, 'pools', i, 'range'], what: 'the pool' };
  });
  return [...named, ...pools];
}

function checkRange(book: FaultBook, { range, path }: Placed, { cidr, reserved }: RangeGround): void {
  if (!cidrContains(cidr, range.first) || !cidrContains(cidr, range.last)) {
    book.report(path, `a range inside ${formatCidr(cidr)}`);
    return;
  }
  const held = reserved.filter((other) => rangeContains(range, other.address));
  if (held.length > 0) book.report(path, `a range without ${held.map((other) => other.what).join(' and ')}`);
}
