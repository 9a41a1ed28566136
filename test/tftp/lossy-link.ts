import { Transfer, type Outcome, type Step, type TransferTerms } from '../../src/tftp/transfer.ts';

/** What the wire does to packets, and how the client answers them. Times in milliseconds, chances from 0 to 1. */
export interface LinkTerms {
  readonly seed: number;
  readonly loss: number;
  readonly duplication: number;
  /** A packet that is reordered comes up to this much later than the others. */
  readonly reordering: number;
  readonly lateness: number;
  readonly delay: number;
  /** The client's card: how many packets it holds, and how long it takes for each. */
  readonly card?: { readonly holds: number; readonly takes: number };
  readonly client: ClientManner;
}

/** `gap`: one ACK when a block is missing; `each`: one for every block that is not the next; `timer`: none before its timer. */
export type ClientManner = 'gap' | 'each' | 'timer';

export interface RunResult {
  readonly outcome: Outcome | undefined;
  /** Blocks the client took, each checked to be the right one. */
  readonly got: number;
  readonly hasAll: boolean;
  /** DATA packets that left the server. */
  readonly sent: number;
  readonly retransmitted: number;
  readonly milliseconds: number;
}

/** A DATA as the client sees it, with the block it really is; 'oack' opens. */
type ToClient = 'oack' | { readonly wire: number; readonly block: number };

const CLIENT_TIMEOUT = 1000;
const CLIENT_TRIES = 30;
const TOO_MANY_EVENTS = 3_000_000;

/** Runs a Transfer against a client of RFC 1350, 2347 and 7440 over such a link to the end of both. */
export function runOverLink(terms: TransferTerms, link: LinkTerms): RunResult {
  return new Simulation(terms, link).run();
}

class Simulation {
  readonly #link: LinkTerms;
  readonly #transfer: Transfer;
  readonly #agenda = new Agenda();
  readonly #random: () => number;
  readonly #client: ModelClient;
  #now = 0;
  #outcome: Outcome | undefined;
  #sent = 0;
  #inCard = 0;
  #cardFreeAt = 0;

  constructor(terms: TransferTerms, link: LinkTerms) {
    this.#link = link;
    this.#transfer = new Transfer(terms);
    this.#random = mulberry32(link.seed);
    this.#client = new ModelClient(terms.windowSize, this.#transfer.lastBlock, link.client, terms.negotiated);
  }

  run(): RunResult {
    this.#perform(this.#transfer.start(0));
    for (let events = 0; this.#outcome === undefined; events++) {
      if (events > TOO_MANY_EVENTS) throw new Error(`no end after ${events} events, at block ${this.#client.got}`);
      this.#next();
    }
    const { got, hasAll } = this.#client;
    const { retransmitted } = this.#transfer;
    return { outcome: this.#outcome, got, hasAll, sent: this.#sent, retransmitted, milliseconds: this.#now };
  }

  /** The next thing that happens: a packet arrives, or a timer of either side fires. */
  #next(): void {
    const arrival = this.#agenda.time;
    const { deadline } = this.#transfer;
    const clientDeadline = this.#client.deadline;
    if (arrival <= deadline && arrival <= clientDeadline) {
      this.#now = arrival;
      this.#agenda.take()();
    } else if (clientDeadline < deadline) {
      this.#now = clientDeadline;
      this.#answer(this.#client.timeout(this.#now));
    } else {
      this.#now = deadline;
      this.#perform(this.#transfer.timeout(this.#now));
    }
  }

  #perform(step: Step): void {
    if (step.do === 'end') this.#outcome = step.outcome;
    if (step.do === 'send-oack') this.#carry(() => this.#arrive('oack'));
    if (step.do !== 'send-data') return;
    for (let block = step.first; block <= step.last; block++) {
      this.#sent++;
      this.#carry(() => this.#arrive({ wire: block & 0xffff, block }));
    }
  }

  #arrive(packet: ToClient): void {
    const { card } = this.#link;
    if (card === undefined) return this.#answer(this.#client.take(packet, this.#now));
    if (this.#inCard >= card.holds) return undefined;
    this.#inCard++;
    this.#cardFreeAt = Math.max(this.#cardFreeAt, this.#now) + card.takes;
    this.#agenda.add(this.#cardFreeAt, () => {
      this.#inCard--;
      this.#answer(this.#client.take(packet, this.#now));
    });
    return undefined;
  }

  #answer(acks: readonly ('request' | number)[]): void {
    for (const ack of acks) {
      this.#carry(() => {
        const step = ack === 'request' ? this.#transfer.repeat(this.#now) : this.#transfer.acknowledge(ack, this.#now);
        this.#perform(step);
      });
    }
  }

  #carry(deliver: () => void): void {
    const { loss, duplication, reordering, lateness, delay } = this.#link;
    const copies = this.#random() < duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#random() < loss) continue;
      const late = this.#random() < reordering ? this.#random() * lateness : 0;
      this.#agenda.add(this.#now + delay + late, deliver);
    }
  }
}

/** Reads as the RFCs say, and throws when a block is not the one it is taken for. */
class ModelClient {
  got = 0;
  hasAll = false;
  deadline = CLIENT_TIMEOUT;
  readonly #window: number;
  readonly #lastBlock: number;
  readonly #manner: ClientManner;
  #opened: boolean;
  #sinceAck = 0;
  #complained = false;
  #tries = 0;

  constructor(window: number, lastBlock: number, manner: ClientManner, negotiated: boolean) {
    this.#window = window;
    this.#lastBlock = lastBlock;
    this.#manner = manner;
    this.#opened = !negotiated;
  }

  take(packet: ToClient, now: number): readonly number[] {
    if (this.hasAll) return packet === 'oack' ? [] : this.#ack();
    if (packet === 'oack') return this.got === 0 ? this.#open(now) : [];
    if (!this.#opened) return [];
    return packet.wire === ((this.got + 1) & 0xffff) ? this.#onNext(packet.block, now) : this.#onOther();
  }

  timeout(now: number): readonly ('request' | number)[] {
    this.deadline = ++this.#tries > CLIENT_TRIES ? Infinity : now + CLIENT_TIMEOUT;
    return this.got === 0 && !this.#opened ? ['request'] : this.#ack();
  }

  #open(now: number): readonly number[] {
    this.#opened = true;
    this.deadline = now + CLIENT_TIMEOUT;
    return [0];
  }

  #onNext(block: number, now: number): readonly number[] {
    if (block !== this.got + 1) throw new Error(`block ${block} was taken for ${this.got + 1}`);
    this.got++;
    this.#sinceAck++;
    this.#tries = 0;
    this.#complained = false;
    this.hasAll = this.got === this.#lastBlock;
    this.deadline = this.hasAll ? Infinity : now + CLIENT_TIMEOUT;
    return this.hasAll || this.#sinceAck === this.#window ? this.#ack() : [];
  }

  /** RFC 7440 §4: a block is missing, or came twice. */
  #onOther(): readonly number[] {
    if (this.#manner === 'timer' || (this.#manner === 'gap' && this.#complained)) return [];
    this.#complained = true;
    return this.#ack();
  }

  #ack(): readonly number[] {
    this.#sinceAck = 0;
    return [this.got & 0xffff];
  }
}

/** What is to happen, by time; of two at one time the one that was added first. */
class Agenda {
  readonly #entries: { readonly time: number; readonly happen: () => void }[] = [];

  get time(): number {
    return this.#entries[0]?.time ?? Infinity;
  }

  add(time: number, happen: () => void): void {
    let at = this.#entries.length;
    while (at > 0 && (this.#entries[at - 1]?.time ?? 0) > time) at--;
    this.#entries.splice(at, 0, { time, happen });
  }

  take(): () => void {
    return this.#entries.shift()?.happen ?? (() => undefined);
  }
}

function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
