import { isDeepStrictEqual } from 'node:util';
import type { Ip4 } from '../addr/ip4.ts';
import type { Tally } from '../service/tally.ts';
import type { Clock } from '../system/clock.ts';
import { LONGEST_TRAIN, MOST_SEGMENTS, type Outbound } from '../system/datagram.ts';
import type { Loop, Timer } from '../system/loop.ts';
import { messageOf } from '../system/message-of.ts';
import { plainText } from '../wire/plain-text.ts';
import { DATA_HEADER, encodeDataHeader, encodeError, encodeOack, LONGEST_CONTROL } from '../wire/tftp/packet.ts';
import { TFTP_ERROR, type TftpPacket, type TftpRequest } from '../wire/tftp/packet.ts';
import type { Content } from './content.ts';
import type { Agreement } from './negotiate.ts';
import { from, type Peer } from './peer.ts';
import type { TransferPort } from './transfer-ports.ts';
import { Transfer, type Outcome, type Step } from './transfer.ts';

/** A machine whose next step is so long in coming is taken to be stuck soon. */
const LASTING_MILLISECONDS = 20_000;

/** What all sessions of a service share. */
export interface SessionTools {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly tally: Tally;
}

/** What one session is about. It closes `content` and releases `port` when it ends. */
export interface SessionSubject {
  readonly request: TftpRequest;
  readonly peer: Peer;
  /** What it is answered from; `port` may have other addresses too. */
  readonly rackAddress: Ip4;
  readonly port: TransferPort;
  readonly content: Content;
  readonly agreement: Agreement;
  /** Called once where it takes long. */
  readonly lasts: () => void;
  /** Called once, when everything is closed; not by `close`. */
  readonly ended: (outcome: Outcome | undefined) => void;
}

/** One read under way: the client, the file and the timer around a Transfer. */
export class ReadSession {
  readonly #tools: SessionTools;
  readonly #subject: SessionSubject;
  readonly #transfer: Transfer;
  readonly #startedAt: number;
  /** Packets that leave as one train at most. */
  readonly #train: number;
  readonly #to: Outbound;
  #timer: Timer | undefined;
  /** When it fires. */
  #timerDue = 0;
  #closed = false;
  #isToldLasting = false;

  constructor(tools: SessionTools, subject: SessionSubject) {
    const { blockSize, windowSize, resendAfter, oack } = subject.agreement;
    this.#tools = tools;
    this.#subject = subject;
    this.#train = Math.min(MOST_SEGMENTS, Math.floor(LONGEST_TRAIN / (DATA_HEADER + blockSize)));
    this.#to = from(subject.rackAddress, subject.peer);
    this.#transfer = new Transfer({
      length: subject.content.length,
      blockSize,
      windowSize,
      negotiated: oack !== undefined,
      sizeTold: oack?.tsize !== undefined,
      ...(resendAfter !== undefined && { resendAfter }),
    });
    this.#startedAt = tools.clock.monotonic();
  }

  get peer(): Peer {
    return this.#subject.peer;
  }

  get port(): TransferPort {
    return this.#subject.port;
  }

  get blockSize(): number {
    return this.#subject.agreement.blockSize;
  }

  /** The last block that arrived; 0 for none. */
  get arrived(): number {
    return this.#transfer.arrived;
  }

  get retransmitted(): number {
    return this.#transfer.retransmitted;
  }

  /** From the request to the last sign of progress, so that waiting for a lost last ACK does not count. */
  get milliseconds(): number {
    return Math.round(Math.max(0, this.#transfer.progressAt - this.#startedAt));
  }

  /** Milliseconds since the request. */
  get elapsed(): number {
    return Math.round(this.#tools.clock.monotonic() - this.#startedAt);
  }

  /** As `repeat` and `take`, queues what it sends; whoever woke the thread flushes once for all. */
  start(): void {
    this.#perform(this.#transfer.start(this.#startedAt));
    this.#armTimer();
  }

  /**
   * A request from the same port. One like ours means that the client did not hear the first packet, which is sent
   * again; answered from a new port as well, the client might take one answer and refuse the other. Any other
   * request takes this session's place: returns false, and the session is over.
   */
  repeat(request: TftpRequest): boolean {
    if (this.#transfer.unanswered && isDeepStrictEqual(request, this.#subject.request)) {
      this.#perform(this.#transfer.repeat(this.#tools.clock.monotonic()));
      this.#advanceTimer();
      return true;
    }
    this.#end(this.#transfer.replaced());
    return false;
  }

  /** A packet from the client to our port. */
  take(packet: TftpPacket): void {
    switch (packet.type) {
      case 'ack':
        this.#perform(this.#transfer.acknowledge(packet.block, this.#tools.clock.monotonic()));
        this.#advanceTimer();
        break;
      case 'error':
        this.#perform(this.#transfer.abort(packet.code, plainText(packet.message)));
        break;
      case 'rrq':
      case 'wrq':
      case 'data':
      case 'oack':
        this.#fail(TFTP_ERROR.illegalOperation, `expected an ACK from the client, found ${packet.type.toUpperCase()}`);
        break;
    }
  }

  /** Ends it before its time, and tells the client why. */
  close(reason: string): void {
    if (this.#closed) return;
    this.#sendError(TFTP_ERROR.notDefined, reason);
    this.#release();
  }

  #perform(step: Step): void {
    switch (step.do) {
      case 'wait':
        break;
      case 'send-oack':
        this.#send((into) => encodeOack(into, this.#subject.agreement.oack ?? {}));
        break;
      case 'send-data':
        this.#sendBlocks(step.first, step.last);
        break;
      case 'end':
        this.#end(step.outcome);
        break;
    }
  }

  #sendBlocks(first: number, last: number): void {
    try {
      for (let block = first; block <= last; block += this.#train) {
        this.#sendTrain(block, Math.min(last, block + this.#train - 1));
      }
    } catch (error) {
      this.#fail(TFTP_ERROR.notDefined, messageOf(error));
    }
  }

  #sendTrain(first: number, last: number): void {
    const { content, agreement, port } = this.#subject;
    const { blockSize } = agreement;
    const segment = DATA_HEADER + blockSize;
    const start = port.socket.room((last - first + 1) * segment);
    const { buffer } = port.socket;
    let at = start;
    for (let block = first; block <= last; block++) {
      const offset = (block - 1) * blockSize;
      const count = Math.min(blockSize, content.length - offset);
      encodeDataHeader(buffer, at, block);
      content.read(offset, buffer, at + DATA_HEADER, count);
      at += DATA_HEADER + count;
    }
    port.socket.send(at - start, segment, this.#to);
    this.#tools.tally.add('bytes', at - start - (last - first + 1) * DATA_HEADER);
  }

  #send(encode: (into: Uint8Array) => number): void {
    const { socket } = this.#subject.port;
    const at = socket.room(LONGEST_CONTROL);
    const length = encode(socket.buffer.subarray(at, at + LONGEST_CONTROL));
    socket.send(length, length, this.#to);
  }

  #sendError(code: number, message: string): void {
    this.#send((into) => encodeError(into, code, message));
  }

  #fail(code: number, reason: string): void {
    this.#sendError(code, reason);
    // The port may live on without us, and a timer flushes for nobody whose session is over
    this.#subject.port.socket.flush();
    this.#end({ kind: 'failed', reason });
  }

  /** One timer serves the whole session: when it fires it looks at the deadline, which most ACKs move to later. */
  #armTimer(): void {
    if (this.#closed) return;
    const { loop, clock } = this.#tools;
    this.#timerDue = this.#transfer.deadline;
    this.#timer = loop.after(Math.max(0, this.#timerDue - clock.monotonic()), () => {
      this.#tellLasting();
      this.#perform(this.#transfer.timeout(clock.monotonic()));
      if (!this.#closed) this.#subject.port.socket.flush();
      this.#armTimer();
    });
  }

  /** The timer fires every few seconds at least; a client that has said nothing yet fetches nothing. */
  #tellLasting(): void {
    if (this.#isToldLasting || this.elapsed < LASTING_MILLISECONDS || this.arrived === 0) return;
    this.#isToldLasting = true;
    this.#subject.lasts();
  }

  #advanceTimer(): void {
    if (this.#closed || this.#transfer.deadline >= this.#timerDue) return;
    this.#timer?.cancel();
    this.#armTimer();
  }

  #end(outcome: Outcome | undefined): void {
    this.#release();
    this.#subject.ended(outcome);
  }

  #release(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#subject.port.release();
    this.#subject.content.close();
  }
}
