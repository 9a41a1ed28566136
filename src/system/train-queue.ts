import { BATCH, LONGEST_TRAIN, type Outbound } from './datagram.ts';
import { lastError, type Libc } from './libc.ts';
import { MessageBatch, SEGMENT_SPACE } from './message-batch.ts';
import { writePacketInfo } from './packet-info.ts';
import { AF_INET, MSG_DONTWAIT, SOCKADDR_IN } from './socket-numbers.ts';

const IPPROTO_UDP = 17;
const UDP_SEGMENT = 103;
const POLLOUT = 4;
/** Milliseconds. At a gigabit a socket's whole send buffer drains in less; longer than that the interface is stuck. */
const BUSY_LIMIT = 50;
/**
 * Milliseconds in which nobody waits again for a socket that was waited for in vain. What holds its buffer may be packets to
 * machines that are gone: the kernel keeps them for seconds while it asks for their hardware address.
 */
const NO_MORE_WAITS = 1000;
/** Bytes a message of the batch has on average before the queue is sent: together they stay in the CPU's cache. */
const AVERAGE = 4096;
/** After so many trains refused in a row, and no other between, only one in RETRY is tried: a refusal costs a call. */
const MOST_REFUSALS = 8;
const RETRY = 64;

/** Packets and packet trains waiting for one sendmmsg, of whichever socket of a thread queues. */
export class TrainQueue {
  readonly #libc: Libc;
  readonly #now: () => number;
  readonly #batch = new MessageBatch(BATCH, AVERAGE);
  readonly #begin = this.#batch.payload(0);
  readonly #end = this.#begin + BATCH * AVERAGE;
  readonly #lengths = new Uint32Array(BATCH);
  readonly #segments = new Uint32Array(BATCH);
  readonly #starts = new Uint32Array(BATCH);
  /** Bytes of control messages beside the segment's. */
  readonly #controls = new Uint32Array(BATCH);
  readonly #pollSet = Buffer.alloc(8);
  #fd = -1;
  #queued = 0;
  /** Where the next packet goes. */
  #at = this.#begin;
  /** Since `flush` last told. */
  #refused = 0;
  /** Trains since the last one that the kernel took. */
  #trainsInVain = 0;
  /** By descriptor, until when it is not waited for. */
  readonly #stuck = new Map<number, number>();

  /** `now`: milliseconds that never go back. */
  constructor(libc: Libc, now: () => number = () => performance.now()) {
    this.#libc = libc;
    this.#now = now;
  }

  get buffer(): Uint8Array {
    return this.#batch.arena;
  }

  room(fd: number, size: number): number {
    if (size > LONGEST_TRAIN) throw new RangeError(`a train of ${size} bytes, at most ${LONGEST_TRAIN}`);
    if (this.#queued > 0 && (this.#fd !== fd || this.#queued === BATCH || this.#at + size > this.#end)) this.#sendAll();
    this.#fd = fd;
    return this.#at;
  }

  send(length: number, segment: number, to: Outbound): void {
    const index = this.#queued++;
    const batch = this.#batch;
    const view = batch.arenaView;
    const name = batch.nameOffset(index);
    view.setUint16(name, AF_INET, true);
    view.setUint16(name + 2, to.port);
    view.setUint32(name + 4, to.address);
    const informed = writePacketInfo(batch, index, to);
    const control =
      informed + (segment < length ? this.#writeSegment(batch.controlOffset(index) + informed, segment) : 0);
    batch.describe(index, SOCKADDR_IN, control, length);
    batch.aim(index, this.#at);
    this.#starts[index] = this.#at;
    this.#controls[index] = informed;
    this.#lengths[index] = length;
    this.#segments[index] = segment;
    this.#at += length;
  }

  flush(): number {
    this.#sendAll();
    const refused = this.#refused;
    this.#refused = 0;
    return refused;
  }

  /** struct cmsghdr, then the size of each packet. */
  #writeSegment(at: number, segment: number): number {
    const view = this.#batch.arenaView;
    view.setUint32(at, 18, true);
    view.setUint32(at + 4, 0, true);
    view.setUint32(at + 8, IPPROTO_UDP, true);
    view.setUint32(at + 12, UDP_SEGMENT, true);
    view.setUint16(at + 16, segment, true);
    return SEGMENT_SPACE;
  }

  #sendAll(): void {
    let done = 0;
    while (done < this.#queued) done += this.#sendSome(done);
    this.#queued = 0;
    this.#at = this.#begin;
  }

  /** From message `first` on; returns how many are dealt with. */
  #sendSome(first: number): number {
    if (this.#isTrain(first) && this.#isHopeless()) return this.#sendApart(first);
    const taken = this.#libc.sendmmsg(this.#fd, this.#batch.headersFrom(first), this.#queued - first, MSG_DONTWAIT);
    if (taken > 0) {
      if (this.#isTrain(first)) this.#trainsInVain = 0;
      return taken;
    }
    if (lastError() === 'EAGAIN') return this.#waitForRoom(first);
    if (this.#isTrain(first)) {
      this.#trainsInVain++;
      return this.#sendApart(first);
    }
    this.#refused++;
    return 1;
  }

  /** One packet after the other: the interface's MTU is smaller than the segment, or it knows no trains. */
  #sendApart(index: number): number {
    const [start = 0, length = 0] = [this.#starts[index], this.#lengths[index]];
    const [segment = length, control = 0] = [this.#segments[index], this.#controls[index]];
    for (let offset = 0; offset < length; offset += segment) {
      this.#batch.describe(index, SOCKADDR_IN, control, Math.min(segment, length - offset));
      this.#batch.aim(index, start + offset);
      if (!this.#sendOne(index)) this.#refused++;
    }
    return 1;
  }

  #sendOne(index: number): boolean {
    do {
      if (this.#libc.sendmmsg(this.#fd, this.#batch.headersFrom(index), 1, MSG_DONTWAIT) > 0) return true;
    } while (lastError() === 'EAGAIN' && this.#hasRoom());
    return false;
  }

  /** The send buffer is full of what the interface has not taken yet. */
  #waitForRoom(first: number): number {
    if (this.#hasRoom()) return 0;
    const left = this.#queued - first;
    this.#refused += left;
    return left;
  }

  /** Whether there is some in time. */
  #hasRoom(): boolean {
    const isStuck = (this.#stuck.get(this.#fd) ?? 0) > this.#now();
    this.#pollSet.writeInt32LE(this.#fd, 0);
    this.#pollSet.writeInt16LE(POLLOUT, 4);
    const hasRoom = this.#libc.poll(this.#pollSet, 1, isStuck ? 0 : BUSY_LIMIT) > 0;
    if (!hasRoom && !isStuck) this.#stuck.set(this.#fd, this.#now() + NO_MORE_WAITS);
    return hasRoom;
  }

  #isHopeless(): boolean {
    if (this.#trainsInVain < MOST_REFUSALS) return false;
    return ++this.#trainsInVain % RETRY > 0;
  }

  #isTrain(index: number): boolean {
    return (this.#segments[index] ?? 0) < (this.#lengths[index] ?? 0);
  }
}
