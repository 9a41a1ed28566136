import type { Clock } from '../../system/clock.ts';
import type { Loop, Timer } from '../../system/loop.ts';
import { FRAME } from '../../wire/dns/message-frames.ts';
import { HEADER } from '../../wire/dns/query.ts';
import type { ReplySink } from '../stream/stream-client.ts';
import type { TsigSigner } from '../tsig/tsig-signer.ts';
import type { SharedEncoding } from './shared-encoding.ts';

/** Milliseconds of the thread that transfers may take before queries have their turn. */
const TURN = 2;

/** A transfer on its way to one client. */
export interface Transfer {
  readonly encoding: SharedEncoding;
  readonly sink: ReplySink;
  /** Of the query: its ID, and its question as it was spelled. */
  readonly id: number;
  readonly question: Buffer;
  readonly signer: TsigSigner | undefined;
  /** What became of it. */
  readonly ended: (isWhole: boolean) => void;
}

interface Running extends Transfer {
  /** How many messages went out. */
  sent: number;
}

/** Sends transfers a message at a time and by turns, between queries, as fast as each client takes them. */
export class TransferPump {
  readonly #loop: Loop;
  readonly #clock: Clock;
  readonly #ready = new Set<Running>();
  #timer: Timer | undefined;
  #running = 0;

  constructor(loop: Loop, clock: Clock) {
    this.#loop = loop;
    this.#clock = clock;
  }

  /** Transfers under way. */
  get running(): number {
    return this.#running;
  }

  start(transfer: Transfer): void {
    this.#running++;
    this.#makeReady({ ...transfer, sent: 0 });
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#ready.clear();
  }

  #makeReady(transfer: Running): void {
    this.#ready.add(transfer);
    this.#timer ??= this.#loop.after(0, () => this.#turn());
  }

  #turn(): void {
    this.#timer = undefined;
    const end = this.#clock.monotonic() + TURN;
    do {
      for (const transfer of this.#ready) this.#step(transfer);
    } while (this.#ready.size > 0 && this.#clock.monotonic() < end);
    if (this.#ready.size > 0) this.#timer = this.#loop.after(0, () => this.#turn());
  }

  #step(transfer: Running): void {
    const { sink } = transfer;
    if (sink.isClosed) return this.#end(transfer, false);
    if (sink.isFull) return this.#wait(transfer);
    const message = transfer.encoding.message(transfer.sent);
    if (message) return this.#send(transfer, message);
    this.#end(transfer, true);
    sink.done();
  }

  #wait(transfer: Running): void {
    this.#ready.delete(transfer);
    transfer.sink.whenDrained(() => this.#makeReady(transfer));
  }

  #send(transfer: Running, shared: Buffer): void {
    const { signer } = transfer;
    const own = Buffer.allocUnsafe(shared.length + (signer?.size ?? 0));
    shared.copy(own);
    own.writeUInt16BE(transfer.id, FRAME);
    // AXFR and IXFR share messages, each with the spelling of its client
    if (transfer.sent === 0) transfer.question.copy(own, FRAME + HEADER);
    const message = own.subarray(FRAME);
    const length = signer
      ? signer.sign(message, shared.length - FRAME, Math.floor(this.#clock.now() / 1000))
      : shared.length - FRAME;
    own.writeUInt16BE(length, 0);
    transfer.sent++;
    transfer.sink.hand(own.subarray(0, FRAME + length));
  }

  #end(transfer: Running, isWhole: boolean): void {
    this.#ready.delete(transfer);
    this.#running--;
    transfer.ended(isWhole);
  }
}
