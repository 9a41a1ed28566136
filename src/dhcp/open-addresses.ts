import type { Range } from '../addr/range.ts';
import type { LeaseBook } from '../leases/lease-book.ts';
import type { Plan } from '../plan/plan.ts';
import type { Clock } from '../system/clock.ts';
import { Addresses } from './addresses.ts';

/** The addresses as they stand at a start: by this Plan, with the leases of `book`. */
export function openAddresses(
  plan: Plan,
  book: LeaseBook,
  clock: Clock,
  crowded?: (range: Range, isCrowded: boolean) => void,
): Addresses {
  const addresses = new Addresses(book, clock, crowded);
  // A computer without a clock of its own starts in the past: no time passed, as far as it knows
  const back = Math.ceil(clock.now() / 1000) - (book.lastWrite ?? 0);
  if (back < 0) book.shift(back);
  addresses.apply(plan);
  addresses.sweep();
  return addresses;
}
