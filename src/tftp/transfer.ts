import { TFTP_ERROR } from '../wire/tftp/packet.ts';
import { RoundTrip } from './round-trip.ts';

/** How often the same packets are sent again before the client counts as gone. */
const MAX_RESENDS = 5;
/** How often a window restarts at a missing block. */
const MAX_RESTARTS = 2;
/** A client may ask for 255 seconds between resends; after this long without an answer, one was the last. Milliseconds. */
const PATIENCE = 60_000;

/** No client's timer is as short. Milliseconds. */
const PROMPT = 100;

/** A card that drops what comes too fast gets a window in bursts of at least this many blocks, so far apart. */
const LEAST_BURST = 4;
const BURST_GAP = 1;
/** So many whole windows in a row, and the bursts may be twice as long again; each loss doubles the number, up to the second. */
const WINDOWS_TO_RECOVER = 8;
const MOST_TO_RECOVER = 64;

export interface TransferTerms {
  /** Octets of the whole file. */
  readonly length: number;
  readonly blockSize: number;
  /** Blocks sent before an ACK is awaited (RFC 7440); 1 is plain RFC 1350. */
  readonly windowSize: number;
  /** An OACK opens the transfer. */
  readonly negotiated: boolean;
  /** The OACK tells the size of the file. */
  readonly sizeTold: boolean;
  /** Wait before a resend as the client wishes it (RFC 2349), in milliseconds; absent: as measured. */
  readonly resendAfter?: number;
}

export type Outcome =
  | { readonly kind: 'sent' }
  /** The client wanted to know the size only. */
  | { readonly kind: 'size-probe' }
  /** `silent`: the client did not say so itself. */
  | { readonly kind: 'failed'; readonly reason: string; readonly silent?: true };

/** What is to be done now. Blocks count from 1 without wrapping; `first` to `last` are both sent. */
export type Step =
  | { readonly do: 'wait' }
  | { readonly do: 'send-oack' }
  | { readonly do: 'send-data'; readonly first: number; readonly last: number }
  | { readonly do: 'end'; readonly outcome: Outcome };

const WAIT: Step = { do: 'wait' };

/**
 * The sender's side of one read, without socket, file or clock: takes what came in and when (milliseconds that never
 * go back), and says what to do. After a step that ends it, it must not be asked again. Each step may move the deadline,
 * to sooner as well.
 *
 * An ACK from inside a window tells of a lost block (RFC 7440 §4), or of one that came twice, and only the next
 * round trip shows which: new blocks that its window allows go out at once, and if no other ACK follows in that time
 * the window restarts at the missing block. Restarting at once, two such ACKs would chase each other through the file,
 * each window sent again and again (RFC 1123 §4.2.3.1, the sorcerer's apprentice).
 *
 * After losses a window leaves in bursts, a millisecond apart: each loss halves them. The window itself keeps its size,
 * as a client is silent until it has all of it.
 */
export class Transfer {
  readonly lastBlock: number;
  readonly #terms: TransferTerms;
  readonly #roundTrip = new RoundTrip();
  /** The highest block the client has; the OACK is block 0 and -1 is nothing yet. */
  #acked: number;
  /** The highest block ever sent. */
  #sent: number;
  /** How often the blocks behind `#acked` were sent again by the timer. */
  #resends = 0;
  #retransmitted = 0;
  /** How often the blocks behind `#acked` were sent again on account of the client's ACKs. */
  #restarts = 0;
  /** Something of the window was sent before: its time is no measure. */
  #repeated = false;
  /** What is still to be sent of the window: from `#next` to `#end`. */
  #next = 0;
  #end = -1;
  #burst: number;
  /** Windows in a row that came whole. */
  #wholeWindows = 0;
  #toRecover = WINDOWS_TO_RECOVER;
  #sentAt = 0;
  /** When the client last got further, or asked. */
  #heardAt = 0;
  #progressAt = 0;
  /** When the next burst leaves, the window restarts at a missing block, or all of it is sent again. */
  #burstAt = Infinity;
  #restartAt = Infinity;
  #resendAt = 0;

  constructor(terms: TransferTerms) {
    this.#terms = terms;
    // RFC 1350 §2: a block of less than the block size ends the transfer, so a full last one has an empty one behind it
    this.lastBlock = Math.floor(terms.length / terms.blockSize) + 1;
    this.#acked = terms.negotiated ? -1 : 0;
    this.#sent = this.#acked;
    this.#burst = terms.windowSize;
  }

  /** When `timeout` is to be called. */
  get deadline(): number {
    return Math.min(this.#burstAt, this.#restartAt, this.#resendAt);
  }

  /** When a block was acknowledged, or sent for the first time, for the last time. */
  get progressAt(): number {
    return this.#progressAt;
  }

  /** The last block that arrived; 0 for none. */
  get arrived(): number {
    return Math.max(0, this.#acked);
  }

  /** How many packets were sent again. */
  get retransmitted(): number {
    return this.#retransmitted;
  }

  /** Nothing has come back from the client yet. */
  get unanswered(): boolean {
    return this.#acked === (this.#terms.negotiated ? -1 : 0);
  }

  start(now: number): Step {
    this.#heardAt = now;
    return this.#openWindow(now);
  }

  /** An ACK for the block with these 16 bits. */
  acknowledge(block: number, now: number): Step {
    const advance = (block - this.#acked) & 0xffff;
    // A block from before the window, or one never sent: late or forged
    if (advance > this.#sent - this.#acked) return WAIT;
    if (advance === 0) return this.#onMissing(now);
    this.#onProgress(advance, now);
    if (this.#acked === this.lastBlock) return ended({ kind: 'sent' });
    if (this.#acked < this.#sent) return this.#onMissing(now);
    if (this.#next > this.#end) this.#onWholeWindow();
    return this.#openWindow(now);
  }

  #onProgress(advance: number, now: number): void {
    this.#acked += advance;
    if (!this.#repeated) this.#measure(now - this.#sentAt);
    this.#resends = 0;
    this.#restarts = 0;
    this.#restartAt = Infinity;
    this.#resendAt = now + this.#resendTime();
    this.#progressAt = now;
    this.#heardAt = now;
  }

  #measure(time: number): void {
    // After a loss it may have been the client's own timer that ran out, and that is no round trip
    if (this.#acked === this.#sent || time < PROMPT) this.#roundTrip.measured(time);
  }

  /**
   * The client repeats itself, or has a part of the window: a block may be missing. With a window of one that is a stale
   * ACK, and ignored. A client that gets no further in spite of two restarts has to wait for the timer.
   */
  #onMissing(now: number): Step {
    if (this.#terms.windowSize === 1 || this.#sent === this.#acked) return WAIT;
    this.#end = Math.min(this.#acked + this.#terms.windowSize, this.lastBlock);
    if (this.#restarts < MAX_RESTARTS) {
      this.#restartAt = Math.min(this.#restartAt, now + this.#roundTrip.answerTime);
      // After other losses this is rather one more: the rest of the window can wait for the restart
      if (this.#burst < this.#terms.windowSize) this.#burstAt = Infinity;
    }
    const isFree = this.#burst === this.#terms.windowSize && this.#next <= this.#end;
    return isFree ? this.#sendBurst(now) : WAIT;
  }

  #onWholeWindow(): void {
    if (this.#repeated) return;
    if (++this.#wholeWindows < this.#toRecover) return;
    this.#wholeWindows = 0;
    this.#burst = Math.min(this.#terms.windowSize, this.#burst * 2);
  }

  #onLoss(): void {
    this.#wholeWindows = 0;
    if (this.#burst < this.#terms.windowSize) this.#toRecover = Math.min(this.#toRecover * 2, MOST_TO_RECOVER);
    const least = Math.min(LEAST_BURST, this.#terms.windowSize);
    this.#burst = Math.max(least, this.#burst >>> 1);
  }

  /** An ERROR from the client; it ends the transfer (RFC 1350 §7). */
  abort(code: number, message: string): Step {
    const { sizeTold } = this.#terms;
    const { notDefined, optionsRefused } = TFTP_ERROR;
    // Many UEFI ROMs and PXELINUX learn the size from the OACK and give up there, to ask again later
    if (sizeTold && this.unanswered && (code === notDefined || code === optionsRefused)) {
      return ended({ kind: 'size-probe' });
    }
    const words = message === '' ? '' : `: ${message}`;
    return ended({ kind: 'failed', reason: `the client gave up after ${this.#where()} with error ${code}${words}` });
  }

  /** The clock passed `deadline`. */
  timeout(now: number): Step {
    if (now >= this.#restartAt) return this.#restart(now);
    if (now >= this.#burstAt) return this.#sendBurst(now);
    return now >= this.#resendAt ? this.#resend(now) : WAIT;
  }

  #restart(now: number): Step {
    this.#restarts++;
    this.#onLoss();
    return this.#openWindow(now);
  }

  #resend(now: number): Step {
    if (this.#resends === MAX_RESENDS || (this.#resends > 0 && now - this.#heardAt >= PATIENCE)) {
      return ended(this.#givenUp());
    }
    this.#resends++;
    if (this.#acked >= 0) this.#onLoss();
    return this.#openWindow(now);
  }

  /** The client asked for the very same again: it did not hear the first packet. */
  repeat(now: number): Step {
    return this.unanswered ? this.#openWindow(now) : WAIT;
  }

  /** The client began another transfer from the same port; undefined when there is nothing to tell. */
  replaced(): Outcome | undefined {
    if (this.#allSent()) return { kind: 'sent' };
    if (this.unanswered) return this.#terms.sizeTold ? { kind: 'size-probe' } : undefined;
    return { kind: 'failed', reason: `the client asked anew after ${this.#where()}`, silent: true };
  }

  #givenUp(): Outcome {
    // Some clients never send the last ACK: they have their file and are gone
    if (this.#allSent()) return { kind: 'sent' };
    return {
      kind: 'failed',
      reason: `no answer from the client after ${this.#where()}, asked ${this.#resends + 1} times`,
      silent: true,
    };
  }

  #allSent(): boolean {
    return this.#sent === this.lastBlock;
  }

  #where(): string {
    if (this.#acked < 0) return 'the OACK';
    return this.#acked === 0 ? 'the first block' : `block ${this.#acked} of ${this.lastBlock}`;
  }

  /** Begins the window behind the last ACK. */
  #openWindow(now: number): Step {
    this.#next = this.#acked + 1;
    this.#end = this.#acked < 0 ? 0 : Math.min(this.#acked + this.#terms.windowSize, this.lastBlock);
    this.#repeated = this.#next <= this.#sent;
    this.#restartAt = Infinity;
    return this.#sendBurst(now);
  }

  #sendBurst(now: number): Step {
    const first = this.#next;
    const last = Math.min(first + this.#burst - 1, this.#end);
    this.#next = last + 1;
    this.#burstAt = last < this.#end ? now + BURST_GAP : Infinity;
    this.#resendAt = now + this.#resendTime();
    this.#retransmitted += Math.max(0, Math.min(last, this.#sent) - first + 1);
    if (last > this.#sent) this.#progressAt = now;
    this.#sent = Math.max(this.#sent, last);
    this.#sentAt = now;
    return first === 0 ? { do: 'send-oack' } : { do: 'send-data', first, last };
  }

  #resendTime(): number {
    return this.#terms.resendAfter ?? this.#roundTrip.timeout(this.#resends);
  }
}

function ended(outcome: Outcome): Step {
  return { do: 'end', outcome };
}
