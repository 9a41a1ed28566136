import type { Ip4 } from '../../addr/ip4.ts';
import type { Timer } from '../../system/loop.ts';
import { parentKey, type NameKey } from '../../wire/dns/name.ts';
import { HEADER } from '../../wire/dns/query.ts';
import type { DnsClient } from '../dns-client.ts';
import type { Slot } from './reply-cache.ts';
import type { Asking } from './write-reply.ts';

/** Questions on their way at once, in all: bounds memory, ports and what upstreams are burdened with. */
const MOST_QUESTIONS = 4_096;
/** Clients that wait, in all. */
const MOST_WAITING = 16_384;
/** Answers that one client waits for: many machines may sit behind one address, but not the rack. */
const MOST_A_CLIENT = 400;
/**
 * Questions on their way below one name. A flood of random names below one domain, whose servers do not answer, leaves the
 * rest to the others. Names right below a top-level domain have nothing in common.
 */
const MOST_BELOW = 512;
/**
 * And below the two last labels of a name: several random labels are no way around that. As these may be a registry's
 * ("co.uk", "in-addr.arpa"), there may be more.
 */
const MOST_BELOW_TOP = 2_048;
const TOP_LABELS = 2;

/** Who asks. */
export type Sender = Pick<DnsClient, 'address' | 'port'>;

/** A client that waits for an answer, with what of its query the reply takes. */
export interface Waiter extends Sender {
  readonly asking: Asking;
  readonly reply: (bytes: Uint8Array) => void;
}

/** A question on its way, and who waits for its answer: each is told in its own spelling. */
export class OpenQuestion {
  readonly key: NameKey;
  readonly slot: Slot;
  readonly waiters: Waiter[] = [];
  /** Stops what is under way for it. */
  abandon: () => void = doNothing;
  /** Who waits for long gets what has ended. */
  stale: Timer | undefined;
  sibling: OpenQuestion | undefined;

  constructor(key: NameKey, slot: Slot) {
    this.key = key;
    this.slot = slot;
  }
}

/** Why a question is not asked. */
export type Overload = 'questions' | 'client' | 'domain';

/** All questions on their way, each once however many ask it. */
export class OpenQuestions {
  readonly #open = new Map<NameKey, OpenQuestion>();
  readonly #clients = new Map<Ip4, number>();
  readonly #below = new Map<NameKey, number>();
  #questions = 0;
  #waiting = 0;

  get size(): number {
    return this.#questions;
  }

  get waiting(): number {
    return this.#waiting;
  }

  find(key: NameKey, slot: Slot): OpenQuestion | undefined {
    let question = this.#open.get(key);
    while (question !== undefined && question.slot !== slot) question = question.sibling;
    return question;
  }

  /** Whether one more question about `key` may be asked. */
  overload(key: NameKey): Overload | undefined {
    if (this.#questions >= MOST_QUESTIONS) return 'questions';
    const { above, top } = domainsOf(key);
    const isFull = (domain: NameKey | undefined, most: number): boolean =>
      domain !== undefined && (this.#below.get(domain) ?? 0) >= most;
    return isFull(above, MOST_BELOW) || isFull(top, MOST_BELOW_TOP) ? 'domain' : undefined;
  }

  /** Whether one more client may wait. */
  clientOverload({ address }: Sender): Overload | undefined {
    if (this.#waiting >= MOST_WAITING) return 'questions';
    return (this.#clients.get(address) ?? 0) >= MOST_A_CLIENT ? 'client' : undefined;
  }

  open(key: NameKey, slot: Slot): OpenQuestion {
    const question = new OpenQuestion(key, slot);
    question.sibling = this.#open.get(key);
    this.#open.set(key, question);
    this.#questions++;
    this.#countBelow(key, 1);
    return question;
  }

  wait(question: OpenQuestion, waiter: Waiter): void {
    question.waiters.push(waiter);
    this.#waiting++;
    add(this.#clients, waiter.address, 1);
  }

  /** Takes all who wait: the question may go on without them. */
  release(question: OpenQuestion): Waiter[] {
    const waiters = question.waiters.splice(0);
    this.#waiting -= waiters.length;
    for (const { address } of waiters) add(this.#clients, address, -1);
    return waiters;
  }

  /** It has its answer, or gets none; nobody waits for it any more. */
  close(question: OpenQuestion): void {
    this.#unlink(question);
    this.#questions--;
    this.#countBelow(question.key, -1);
  }

  #countBelow(key: NameKey, by: number): void {
    const { above, top } = domainsOf(key);
    if (above !== undefined) add(this.#below, above, by);
    if (top !== undefined) add(this.#below, top, by);
  }

  all(): OpenQuestion[] {
    return [...this.#open.values()].flatMap((first) => {
      const chain: OpenQuestion[] = [];
      for (let next: OpenQuestion | undefined = first; next; next = next.sibling) chain.push(next);
      return chain;
    });
  }

  #unlink(question: OpenQuestion): void {
    const first = this.#open.get(question.key);
    if (first === question) {
      if (question.sibling) this.#open.set(question.key, question.sibling);
      else this.#open.delete(question.key);
      return;
    }
    let before = first;
    while (before && before.sibling !== question) before = before.sibling;
    if (before) before.sibling = question.sibling;
  }
}

/** A client that asks once more what it waits for: nothing was lost but its patience. */
export function isSameWaiter(waiter: Waiter, sender: Sender, bytes: Uint8Array): boolean {
  if (waiter.address !== sender.address || waiter.port !== sender.port) return false;
  const { bytes: ours, questionEnd } = waiter.asking;
  if (ours[0] !== bytes[0] || ours[1] !== bytes[1]) return false;
  for (let at = HEADER; at < questionEnd; at++) if (ours[at] !== bytes[at]) return false;
  return true;
}

/**
 * The name above; undefined where names have nothing in common but a registry. And its two last labels, where that has
 * more: below a name that is both, the lower bound is the one that counts.
 */
function domainsOf(key: NameKey): { readonly above?: NameKey; readonly top?: NameKey } {
  const above = parentKey(key);
  if (above === undefined) return {};
  const starts: number[] = [];
  for (let at = 0; above.charCodeAt(at) > 0; at += 1 + above.charCodeAt(at)) starts.push(at);
  const top = starts.at(-TOP_LABELS);
  if (top === undefined) return {};
  return top === 0 ? { above } : { above, top: above.slice(top) as NameKey };
}

function add<Key>(counts: Map<Key, number>, key: Key, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}

function doNothing(): void {
  // Nothing is under way
}
