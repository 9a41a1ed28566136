import { TFTP_ERROR } from '../wire/tftp/packet.ts';
import { RoundTrip } from './round-trip.ts';

/** How often the same packets are sent again before the client counts as gone. */
const MAX_RESENDS = 5;

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
  | { readonly kind: 'failed'; readonly reason: string };

/** What is to be done now. Blocks count from 1 without wrapping; `first` to `last` are both sent. */
export type Step =
  | { readonly do: 'wait' }
  | { readonly do: 'send-oack' }
  | { readonly do: 'send-data'; readonly first: number; readonly last: number }
  | { readonly do: 'end'; readonly outcome: Outcome };

const WAIT: Step = { do: 'wait' };

/**
 * The sender's side of one read, without socket, file or clock: takes what came in and when (milliseconds that never
 * go back), and says what to do. After a step that ends it, it must not be asked again.
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
  /** The window behind `#acked` was sent again on account of what the client sent. */
  #restarted = false;
  #sentAt = 0;
  #progressAt = 0;
  #deadline = 0;

  constructor(terms: TransferTerms) {
    this.#terms = terms;
    // RFC 1350 §2: a block of less than the block size ends the transfer, so a full last one has an empty one behind it
    this.lastBlock = Math.floor(terms.length / terms.blockSize) + 1;
    this.#acked = terms.negotiated ? -1 : 0;
    this.#sent = this.#acked;
  }

  /** When `timeout` is to be called. */
  get deadline(): number {
    return this.#deadline;
  }

  /** When a block was acknowledged, or sent for the first time, for the last time. */
  get progressAt(): number {
    return this.#progressAt;
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
    return this.#sendWindow(now);
  }

  /** An ACK for the block with these 16 bits. */
  acknowledge(block: number, now: number): Step {
    const advance = (block - this.#acked) & 0xffff;
    if (advance === 0) return this.#onDuplicate(now);
    // A block from before the window, or one never sent: late or forged, and answering it would start the
    // sorcerer's apprentice (RFC 1123 §4.2.3.1)
    if (advance > this.#sent - this.#acked) return WAIT;
    if (this.#resends === 0 && !this.#restarted) this.#roundTrip.measured(now - this.#sentAt);
    this.#acked += advance;
    this.#resends = 0;
    this.#progressAt = now;
    if (this.#acked === this.lastBlock) return ended({ kind: 'sent' });
    // RFC 7440 §4: an ACK from inside the window tells of a lost block; the next window begins behind it
    this.#restarted = this.#acked < this.#sent;
    return this.#sendWindow(now);
  }

  /**
   * The same ACK again. With a window of one it is a stale repetition and is ignored. With more, the client may have
   * missed the first block of the window: the window restarts, once; after that the timer is in charge.
   */
  #onDuplicate(now: number): Step {
    if (this.#terms.windowSize === 1 || this.#restarted || this.#sent === this.#acked) return WAIT;
    this.#restarted = true;
    return this.#sendWindow(now);
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
    if (now < this.#deadline) return WAIT;
    if (this.#resends < MAX_RESENDS) {
      this.#resends++;
      return this.#sendWindow(now);
    }
    return ended(this.#givenUp());
  }

  /** The client asked for the very same again: it did not hear the first packet. */
  repeat(now: number): Step {
    if (!this.unanswered) return WAIT;
    this.#restarted = true;
    return this.#sendWindow(now);
  }

  /** The client began another transfer from the same port; undefined when there is nothing to tell. */
  replaced(): Outcome | undefined {
    if (this.#allSent()) return { kind: 'sent' };
    if (this.unanswered) return this.#terms.sizeTold ? { kind: 'size-probe' } : undefined;
    return { kind: 'failed', reason: `the client asked anew after ${this.#where()}` };
  }

  #givenUp(): Outcome {
    // Some clients never send the last ACK: they have their file and are gone
    if (this.#allSent()) return { kind: 'sent' };
    return {
      kind: 'failed',
      reason: `no answer from the client after ${this.#where()}, asked ${MAX_RESENDS + 1} times`,
    };
  }

  #allSent(): boolean {
    return this.#sent === this.lastBlock;
  }

  #where(): string {
    if (this.#acked < 0) return 'the OACK';
    return this.#acked === 0 ? 'the first block' : `block ${this.#acked} of ${this.lastBlock}`;
  }

  #sendWindow(now: number): Step {
    const first = this.#acked + 1;
    const last = first === 0 ? 0 : Math.min(this.#acked + this.#terms.windowSize, this.lastBlock);
    this.#retransmitted += Math.max(0, Math.min(last, this.#sent) - first + 1);
    if (last > this.#sent) this.#progressAt = now;
    this.#sent = Math.max(this.#sent, last);
    this.#sentAt = now;
    this.#deadline = now + (this.#terms.resendAfter ?? this.#roundTrip.timeout(this.#resends));
    return first === 0 ? { do: 'send-oack' } : { do: 'send-data', first, last };
  }
}

function ended(outcome: Outcome): Step {
  return { do: 'end', outcome };
}
