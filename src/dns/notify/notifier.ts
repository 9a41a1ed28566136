import { randomInt } from 'node:crypto';

import { formatIp4 } from '../../addr/ip4.ts';
import type { Counters } from '../../service/letters.ts';
import type { EventSink } from '../../service/service.ts';
import { Tally } from '../../service/tally.ts';
import type { Clock } from '../../system/clock.ts';
import type { Inbound, Outbound } from '../../system/datagram.ts';
import type { Loop, Timer } from '../../system/loop.ts';
import { keyText, nameKey, type NameKey } from '../../wire/dns/name.ts';
import { encodeNotify, OPCODE_NOTIFY } from '../../wire/dns/notify.ts';
import { decodeHeader, HEADER } from '../../wire/dns/query.ts';
import { RCODE, rcodeName } from '../../wire/dns/rcode.ts';
import type { ResourceRecord } from '../../wire/dns/resource-record.ts';
import { TsigSigner } from '../tsig/tsig-signer.ts';
import { verifyTsig, type KeyFinder } from '../tsig/verify-tsig.ts';
import type { NotifyDestination } from './notify-target.ts';

/** What changes within this time, in milliseconds, is told at once: a burst of leases is one NOTIFY. */
const GATHER = 50;
/** A secondary is told of one zone no more often than this. */
const APART = 300;
/** RFC 1996 §3.6: until it is answered; a second at first, twice as long each time, a minute at most. */
const FIRST_RETRY = 1000;
const LAST_RETRY = 60_000;
/** So long without an answer, which is five tries, is worth telling the operator, in milliseconds. */
const SILENCE = 15_000;
/** Header, names, SOA and signature. */
const ROOM = 2048;

/** What a notifier is built from. */
export interface NotifierContext {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly keys: KeyFinder;
  /** Sends a datagram from that address of ours, by a socket whose answers come to `heard`. */
  readonly send: (bytes: Uint8Array, to: Outbound) => void;
}

/** One secondary of one zone. */
interface Telling {
  readonly zone: NameKey;
  readonly to: NotifyDestination;
  soa: ResourceRecord;
  /** Of the message that is not answered yet. */
  id: number | undefined;
  signer: TsigSigner | undefined;
  /** To tell the newest: zero when that waits to be sent. */
  tries: number;
  lastSent: number;
  /** When the first was sent that nothing has answered since, whatever was to tell. */
  silentSince: number | undefined;
  timer: Timer | undefined;
  /** The operator was told. */
  hasTrouble: boolean;
}

const NOT_TOLD = {
  id: undefined,
  signer: undefined,
  tries: 0,
  lastSent: Number.NEGATIVE_INFINITY,
  silentSince: undefined,
  timer: undefined,
  hasTrouble: false,
};

/** Tells the secondaries that a zone changed (RFC 1996), and again until they have heard. */
export class Notifier {
  readonly #context: NotifierContext;
  readonly #tellings = new Map<string, Telling>();
  readonly #waiting = new Map<number, Telling>();
  readonly #tally = new Tally();
  readonly #room = Buffer.alloc(ROOM);

  constructor(context: NotifierContext) {
    this.#context = context;
  }

  /** A zone changed, or is served anew; these are to know. */
  changed(zone: NameKey, soa: ResourceRecord, destinations: readonly NotifyDestination[]): void {
    for (const to of destinations) this.#tell(zone, soa, to);
  }

  /** Who is not among the secondaries of a zone any more is told nothing more. */
  keep(isWanted: (zone: NameKey, to: NotifyDestination) => boolean): void {
    for (const [name, telling] of this.#tellings) {
      if (isWanted(telling.zone, telling.to)) continue;
      this.#settle(telling);
      this.#tellings.delete(name);
    }
  }

  /** Something came to the socket that `send` sends by. */
  heard({ bytes, source, sourcePort }: Inbound): void {
    if (bytes.length < HEADER) return;
    const { id, response, opcode } = decodeHeader(bytes);
    const telling = this.#waiting.get(id);
    const isAnswer = response && opcode === OPCODE_NOTIFY && telling !== undefined;
    if (!isAnswer || telling.to.address !== source || telling.to.port !== sourcePort) return;
    if (!this.#isSigned(bytes, telling)) return this.#tally.add('notify.bad-signature');
    this.#hears(telling);
    const rcode = (bytes[3] ?? 0) & 15;
    this.#tally.add(rcode === RCODE.NOERROR ? 'notify.answered' : 'notify.refused');
    if (rcode === RCODE.NOERROR) this.#works(telling);
    else this.#fails(telling, `it answers ${rcodeName(rcode)}`);
  }

  counters(): Counters {
    return { ...this.#tally.read(), 'notify.waiting': this.#waiting.size };
  }

  close(): void {
    for (const telling of this.#tellings.values()) this.#settle(telling);
    this.#tellings.clear();
  }

  #tell(zone: NameKey, soa: ResourceRecord, to: NotifyDestination): void {
    const name = `${zone} ${to.address} ${to.port}`;
    const before = this.#tellings.get(name);
    const telling: Telling = before ?? { ...NOT_TOLD, zone, to, soa };
    this.#tellings.set(name, telling);
    telling.soa = soa;
    // What is gathered already tells the newest
    if (telling.timer && telling.tries === 0) return;
    // What is under way may be answered yet
    telling.timer?.cancel();
    telling.tries = 0;
    const wait = telling.lastSent + APART - this.#context.clock.monotonic();
    telling.timer = this.#context.loop.after(Math.max(GATHER, wait), () => this.#send(telling));
  }

  #send(telling: Telling): void {
    const { clock, loop, keys, send } = this.#context;
    this.#forget(telling);
    telling.tries++;
    telling.lastSent = clock.monotonic();
    telling.silentSince ??= telling.lastSent;
    const { address, port, source, key } = telling.to;
    telling.id = this.#freeId();
    this.#waiting.set(telling.id, telling);
    let length = encodeNotify(telling.id, telling.zone, telling.soa, this.#room);
    const secret = key === undefined ? undefined : keys.find(nameKey(key));
    telling.signer = secret && new TsigSigner(secret);
    if (telling.signer) length = telling.signer.sign(this.#room, length, Math.floor(clock.now() / 1000));
    // Without its key it would not be believed
    const canSend = key === undefined || secret !== undefined;
    if (canSend) send(this.#room.subarray(0, length), { address, port, source });
    this.#tally.add(canSend ? 'notify.sent' : 'notify.no-key');
    if (telling.lastSent - telling.silentSince >= SILENCE)
      this.#fails(telling, canSend ? 'it does not answer' : 'its key can not be had');
    const wait = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** (telling.tries - 1));
    telling.timer = loop.after(wait, () => this.#send(telling));
  }

  /** An answer to what was signed must be signed (RFC 8945 §5.4). */
  #isSigned(bytes: Uint8Array, { signer }: Telling): boolean {
    if (!signer) return true;
    const now = Math.floor(this.#context.clock.now() / 1000);
    return verifyTsig(bytes, this.#context.keys, now, signer.mac).kind === 'good';
  }

  #freeId(): number {
    for (;;) {
      const id = randomInt(65_536);
      if (!this.#waiting.has(id)) return id;
    }
  }

  #forget(telling: Telling): void {
    if (telling.id !== undefined) this.#waiting.delete(telling.id);
    telling.id = undefined;
  }

  /** It is there; what is newer than it has heard of is told all the same. */
  #hears(telling: Telling): void {
    telling.silentSince = undefined;
    if (telling.tries === 0) this.#forget(telling);
    else this.#settle(telling);
  }

  #settle(telling: Telling): void {
    telling.timer?.cancel();
    telling.timer = undefined;
    this.#forget(telling);
  }

  /** Told once for a secondary, however many zones it has. */
  #fails(telling: Telling, reason: string): void {
    const isKnown = this.#hasTrouble(telling);
    telling.hasTrouble = true;
    if (isKnown) return;
    const [zone, secondary] = [keyText(telling.zone), formatIp4(telling.to.address)];
    this.#context.events.emit({ kind: 'zone.notify-failed', zone, secondary, reason });
  }

  #works(telling: Telling): void {
    if (!telling.hasTrouble) return;
    telling.hasTrouble = false;
    const secondary = formatIp4(telling.to.address);
    if (!this.#hasTrouble(telling)) this.#context.events.emit({ kind: 'zone.notify-works', secondary });
  }

  #hasTrouble({ to }: Telling): boolean {
    const ofOne = [...this.#tellings.values()].filter((other) => other.to.address === to.address);
    return ofOne.some(({ hasTrouble }) => hasTrouble);
  }
}
