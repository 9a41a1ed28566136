import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import type { EventSink } from '../service/service.ts';
import type { ConflictFact, ConflictKind, Grievance } from '../service/watch-letters.ts';
import type { Clock } from '../system/clock.ts';
import type { EventBody } from '../timeline/event.ts';

/**
 * Of each kind: a flood of lies fills the book and not the timeline, and hides nothing graver; a rack with so many real ones has one cause
 * for all.
 */
const MOST_OF_A_KIND = 24;
/** So many questions that it did not answer say that a machine is gone. */
const MOST_MISSES = 2;

interface Conflict extends ConflictFact {
  readonly began: number;
  misses: number;
}

/** What is wrong on the wires: told when it begins and when it ends. */
export class ConflictBook {
  readonly #clock: Clock;
  readonly #events: EventSink;
  readonly #conflicts = new Map<string, Conflict>();
  /** Kinds of which there are more than there is room for. */
  readonly #hidden = new Set<ConflictKind>();
  #unwritten = 0;

  constructor(clock: Clock, events: EventSink) {
    this.#clock = clock;
    this.#events = events;
  }

  get size(): number {
    return this.#conflicts.size;
  }

  /** How often there was no room for a conflict. */
  get unwritten(): number {
    return this.#unwritten;
  }

  all(): ConflictFact[] {
    return [...this.#conflicts.values()].map(({ misses: _misses, began: _began, ...fact }) => fact);
  }

  /** Those of one address. */
  at(device: string, address: Ip4): ConflictFact[] {
    return [...this.#conflicts.values()].filter((each) => each.interface === device && each.address === address);
  }

  /** It is so, now. */
  hold(device: string, mac: Mac, address: Ip4, grievance: Grievance): void {
    const key = keyOf({ interface: device, mac, address, grievance });
    const present = this.#conflicts.get(key);
    if (present && isSame(present.grievance, grievance)) {
      present.misses = 0;
      return;
    }
    for (const other of this.at(device, address)) if (other.mac === mac) this.end(other);
    if (this.#countOf(grievance.kind) >= MOST_OF_A_KIND) return this.#hide(grievance.kind);
    const [since, began] = [this.#clock.now(), this.#clock.monotonic()];
    const conflict = { interface: device, mac, address, grievance, since, began, misses: 0 };
    this.#conflicts.set(key, conflict);
    this.#tell('conflict.began', conflict);
  }

  /** It was asked for and not seen: over when that happens again. */
  miss(fact: ConflictFact): void {
    const conflict = this.#conflicts.get(keyOf(fact));
    if (!conflict) return;
    conflict.misses++;
    if (conflict.misses >= MOST_MISSES) this.end(fact);
  }

  /** It is over. */
  end(fact: ConflictFact): void {
    const key = keyOf(fact);
    const conflict = this.#conflicts.get(key);
    if (!conflict) return;
    this.#conflicts.delete(key);
    this.#tell('conflict.ended', conflict);
    const { kind } = conflict.grievance;
    // Not with the first that ends: the next one may be there already
    if (this.#countOf(kind) <= MOST_OF_A_KIND / 2 && this.#hidden.delete(kind))
      this.#events.emit({ kind: 'conflict.shown', conflict: kind });
  }

  #hide(kind: ConflictKind): void {
    this.#unwritten++;
    if (this.#hidden.has(kind)) return;
    this.#hidden.add(kind);
    this.#events.emit({ kind: 'conflict.hidden', conflict: kind, shown: MOST_OF_A_KIND });
  }

  #countOf(kind: ConflictKind): number {
    let count = 0;
    for (const { grievance } of this.#conflicts.values()) if (grievance.kind === kind) count++;
    return count;
  }

  #tell(
    kind: 'conflict.began' | 'conflict.ended',
    { interface: device, mac, address, grievance, began }: Conflict,
  ): void {
    const words = { interface: device, ...wordsOf(grievance) };
    const seconds = Math.round((this.#clock.monotonic() - began) / 1000);
    const body: EventBody = kind === 'conflict.began' ? { kind, ...words } : { kind, seconds, ...words };
    this.#events.emit(body, { mac: formatMac(mac), address: formatIp4(address) });
  }
}

/** Who has too many addresses is told of once, and not with each of them. */
function keyOf({ interface: device, mac, address, grievance }: Omit<ConflictFact, 'since'>): string {
  return `${mac} ${grievance.kind === 'many-addresses' ? 'many' : address} ${device}`;
}

function isSame(one: Grievance, other: Grievance): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function wordsOf(grievance: Grievance) {
  const { kind: conflict } = grievance;
  switch (grievance.kind) {
    case 'two-machines':
    case 'leased-address':
      return { conflict, other: formatMac(grievance.other) };
    case 'host-address':
      return { conflict, host: grievance.host };
    case 'wrong-address':
      return { conflict, host: grievance.host, wanted: formatIp4(grievance.wanted) };
    case 'own-address':
    case 'many-addresses':
    case 'squatted':
      return { conflict };
  }
}
