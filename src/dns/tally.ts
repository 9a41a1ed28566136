import type { Counters } from '../service/letters.ts';
import { rcodeName } from '../wire/dns/rcode.ts';
import { typeName } from '../wire/dns/record-type.ts';

/** Why a message got no reply. */
export type DropReason = 'short' | 'response' | 'port-zero';
/** Why a question was refused. */
export type RefuseReason = 'not-ours' | 'class' | 'transfer';

/** Types above are counted together, so that hostile questions can't grow the table. */
const TYPES = 260;
const RCODES = 24;

/** What the DNS service counts. Only ever rises. */
export class Tally {
  readonly #types = new Float64Array(TYPES);
  readonly #rcodes = new Float64Array(RCODES);
  readonly #dropped = new Map<DropReason, number>();
  readonly #refused = { 'not-ours': 0, class: 0, transfer: 0 };
  readonly #limited = { cut: 0, drop: 0 };
  readonly #cookies = { client: 0, bad: 0, good: 0 };
  #received = 0;
  #lost = 0;

  received(): void {
    this.#received++;
  }

  /** A question that could be read. */
  asked(type: number): void {
    const index = type < TYPES ? type : 0;
    this.#types[index] = (this.#types[index] ?? 0) + 1;
  }

  replied(rcode: number): void {
    this.#rcodes[rcode] = (this.#rcodes[rcode] ?? 0) + 1;
  }

  dropped(reason: DropReason): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  refused(reason: RefuseReason): void {
    this.#refused[reason]++;
  }

  /** A reply that the rate limit cut or kept back. */
  limited(how: 'cut' | 'drop'): void {
    this.#limited[how]++;
  }

  /** A cookie: of the client alone, with one of ours, or with one that is not, or no more. */
  cookie(state: 'client' | 'bad' | 'good'): void {
    this.#cookies[state]++;
  }

  /** Replies that the kernel would not take. */
  lost(count: number): void {
    this.#lost += count;
  }

  counters(): Counters {
    const counters: Record<string, number> = { received: this.#received, lost: this.#lost };
    for (const [type, count] of this.#types.entries()) {
      if (count > 0) counters[`type.${type === 0 ? 'other' : typeName(type)}`] = count;
    }
    for (const [rcode, count] of this.#rcodes.entries()) if (count > 0) counters[`rcode.${rcodeName(rcode)}`] = count;
    for (const [reason, count] of this.#dropped) counters[`dropped.${reason}`] = count;
    for (const [reason, count] of Object.entries(this.#refused)) if (count > 0) counters[`refused.${reason}`] = count;
    for (const [state, count] of Object.entries(this.#cookies)) if (count > 0) counters[`cookie.${state}`] = count;
    if (this.#limited.cut > 0) counters['rate-limit.cut'] = this.#limited.cut;
    if (this.#limited.drop > 0) counters['dropped.rate-limit'] = this.#limited.drop;
    return counters;
  }
}
