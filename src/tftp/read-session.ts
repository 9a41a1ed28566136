import { isDeepStrictEqual } from 'node:util';
import type { Ip4 } from '../addr/ip4.ts';
import type { Clock } from '../system/clock.ts';
import type { DatagramSocket, Inbound } from '../system/datagram.ts';
import type { Loop, Timer } from '../system/loop.ts';
import { DATA_HEADER, decodeTftp, encodeDataHeader, encodeError, encodeOack } from '../wire/tftp/packet.ts';
import { TFTP_ERROR, type TftpPacket, type TftpRequest } from '../wire/tftp/packet.ts';
import { WireError } from '../wire/wire-error.ts';
import { messageOf, type Content } from './content.ts';
import type { Agreement } from './negotiate.ts';
import type { Tally } from '../service/tally.ts';
import { Transfer, type Outcome, type Step } from './transfer.ts';

/** The client's end of a transfer: its address and its transfer ID (RFC 1350 §4). */
export interface Peer {
  readonly address: Ip4;
  readonly port: number;
}

/** A socket with its descriptor, so that a loop can watch it. */
export interface TransferSocket {
  readonly socket: DatagramSocket;
  readonly fd: number;
}

/** What all sessions of a service share. */
export interface SessionTools {
  readonly loop: Loop;
  readonly clock: Clock;
  readonly tally: Tally;
  /** Where packets are put together: DATA_HEADER and the largest block long at least. */
  readonly buffer: Uint8Array;
}

/** What one session is about. It closes `content` and `own.socket` when it ends. */
export interface SessionSubject {
  readonly request: TftpRequest;
  readonly peer: Peer;
  readonly own: TransferSocket;
  readonly content: Content;
  readonly agreement: Agreement;
  /** Called once, when everything is closed; not by `close`. */
  readonly ended: (outcome: Outcome | undefined) => void;
}

/** One read under way: the socket, the file and the timer around a Transfer. */
export class ReadSession {
  readonly #tools: SessionTools;
  readonly #subject: SessionSubject;
  readonly #transfer: Transfer;
  readonly #startedAt: number;
  readonly #watch: { close(): void };
  #timer: Timer | undefined;
  #closed = false;

  constructor(tools: SessionTools, subject: SessionSubject) {
    const { blockSize, windowSize, resendAfter, oack } = subject.agreement;
    this.#tools = tools;
    this.#subject = subject;
    this.#transfer = new Transfer({
      length: subject.content.length,
      blockSize,
      windowSize,
      negotiated: oack !== undefined,
      sizeTold: oack?.tsize !== undefined,
      ...(resendAfter !== undefined && { resendAfter }),
    });
    this.#startedAt = tools.clock.monotonic();
    this.#watch = tools.loop.watch(subject.own.fd, () => this.#onReadable());
  }

  get peer(): Peer {
    return this.#subject.peer;
  }

  get retransmitted(): number {
    return this.#transfer.retransmitted;
  }

  /** From the request to the last sign of progress, so that waiting for a lost last ACK does not count. */
  get milliseconds(): number {
    return Math.round(Math.max(0, this.#transfer.progressAt - this.#startedAt));
  }

  start(): void {
    this.#perform(this.#transfer.start(this.#startedAt));
    if (!this.#closed) this.#armTimer();
  }

  /**
   * A request from the same port. One like ours means that the client did not hear the first packet, which is sent
   * again; answered from a new port as well, the client might take one answer and refuse the other. Any other
   * request takes this session's place: returns false, and the session is over.
   */
  repeat(request: TftpRequest): boolean {
    if (this.#transfer.unanswered && isDeepStrictEqual(request, this.#subject.request)) {
      this.#perform(this.#transfer.repeat(this.#tools.clock.monotonic()));
      this.#flush();
      return true;
    }
    this.#end(this.#transfer.replaced());
    return false;
  }

  /** Tells the client, for a service that stops. */
  close(): void {
    if (this.#closed) return;
    this.#sendError(this.peer, TFTP_ERROR.notDefined, 'the server stops');
    this.#release();
  }

  #onReadable(): void {
    const { socket } = this.#subject.own;
    socket.receive((datagram) => {
      if (!this.#closed) this.#take(datagram);
    });
    this.#flush();
  }

  #take(datagram: Inbound): void {
    this.#tools.tally.add('received');
    const packet = this.#decode(datagram.bytes);
    if (packet === undefined) return;
    if (datagram.source === this.peer.address && datagram.sourcePort === this.peer.port) this.#onPacket(packet);
    else this.#onStranger(packet, { address: datagram.source, port: datagram.sourcePort });
  }

  #decode(bytes: Uint8Array): TftpPacket | undefined {
    try {
      return decodeTftp(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#tools.tally.add('refused.bad-packet');
      return undefined;
    }
  }

  #onPacket(packet: TftpPacket): void {
    switch (packet.type) {
      case 'ack':
        this.#perform(this.#transfer.acknowledge(packet.block, this.#tools.clock.monotonic()));
        break;
      case 'error':
        this.#perform(this.#transfer.abort(packet.code, packet.message));
        break;
      case 'rrq':
      case 'wrq':
      case 'data':
      case 'oack':
        this.#fail(TFTP_ERROR.illegalOperation, `expected an ACK from the client, found ${packet.type.toUpperCase()}`);
        break;
    }
  }

  /** RFC 1350 §4: a packet from another source is answered with an ERROR and disturbs nothing. */
  #onStranger(packet: TftpPacket, source: Peer): void {
    this.#tools.tally.add('refused.wrong-tid');
    // §7: an ERROR is never answered, or two servers could talk for ever
    if (packet.type === 'error' || source.port === 0) return;
    this.#sendError(source, TFTP_ERROR.unknownTransferId, 'unknown transfer ID');
  }

  #perform(step: Step): void {
    switch (step.do) {
      case 'wait':
        break;
      case 'send-oack':
        this.#send(encodeOack(this.#tools.buffer, this.#subject.agreement.oack ?? {}));
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
    const { content, agreement } = this.#subject;
    const { buffer, tally } = this.#tools;
    try {
      for (let block = first; block <= last; block++) {
        const offset = (block - 1) * agreement.blockSize;
        const count = Math.min(agreement.blockSize, content.length - offset);
        encodeDataHeader(buffer, block);
        content.read(offset, buffer, DATA_HEADER, count);
        this.#send(DATA_HEADER + count);
        tally.add('bytes', count);
      }
    } catch (error) {
      this.#fail(TFTP_ERROR.notDefined, messageOf(error));
    }
  }

  #send(length: number): void {
    this.#subject.own.socket.send(this.#tools.buffer.subarray(0, length), this.peer);
  }

  #sendError(to: Peer, code: number, message: string): void {
    const length = encodeError(this.#tools.buffer, code, message);
    this.#subject.own.socket.send(this.#tools.buffer.subarray(0, length), to);
  }

  #fail(code: number, reason: string): void {
    this.#sendError(this.peer, code, reason);
    this.#end({ kind: 'failed', reason });
  }

  /** One timer serves the whole session: it looks at the deadline, which moves with every ACK, when it fires. */
  #armTimer(): void {
    const { loop, clock } = this.#tools;
    const wait = Math.max(0, this.#transfer.deadline - clock.monotonic());
    this.#timer = loop.after(wait, () => {
      this.#perform(this.#transfer.timeout(clock.monotonic()));
      if (!this.#closed) this.#armTimer();
    });
    this.#flush();
  }

  #flush(): void {
    if (!this.#closed) this.#subject.own.socket.flush();
  }

  #end(outcome: Outcome | undefined): void {
    this.#release();
    this.#subject.ended(outcome);
  }

  #release(): void {
    this.#closed = true;
    this.#timer?.cancel();
    // Before the descriptor: its number may belong to another session a moment later
    this.#watch.close();
    this.#subject.own.socket.flush();
    this.#subject.own.socket.close();
    this.#subject.content.close();
  }
}
