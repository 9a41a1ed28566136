import { addressOf } from './libc.ts';

/*
 * struct mmsghdr of 64-bit Linux, 64 bytes:
 *
 *   0 msg_name*     8 msg_namelen(4)   16 msg_iov*      24 msg_iovlen
 *  32 msg_control* 40 msg_controllen   48 msg_flags(4)  56 msg_len(4)
 */
const HEADER = 64;
const IOVEC = 16;
const MSG_TRUNC = 0x20;
/** Room for sockaddr_in (16) and sockaddr_ll (20). */
const NAME_SPACE = 32;
/** CMSG_SPACE(sizeof(struct in_pktinfo)): a 16-byte header and 12 bytes, rounded up to 8. */
export const PACKET_INFO_SPACE = 32;
/** CMSG_SPACE(sizeof(uint16_t)), for UDP_SEGMENT. */
export const SEGMENT_SPACE = 24;
const CONTROL_SPACE = PACKET_INFO_SPACE + SEGMENT_SPACE;

/** The arrays that recvmmsg and sendmmsg work on, laid out once: `count` messages of up to `slot` bytes. */
export class MessageBatch {
  readonly count: number;
  readonly slot: number;
  /** The array of struct mmsghdr. */
  readonly headers: Uint8Array;
  /** Names, control messages and payloads: see the three offsets below. */
  readonly arena: Uint8Array;
  readonly arenaView: DataView;
  readonly #headerView: DataView;
  /** Where `arena` lies: addresses of user memory are below 2^47. */
  readonly #base: number;

  constructor(count: number, slot: number) {
    this.count = count;
    this.slot = slot;
    this.headers = new Uint8Array(new ArrayBuffer(count * HEADER));
    this.#headerView = new DataView(this.headers.buffer);
    this.arena = new Uint8Array(new ArrayBuffer(count * (IOVEC + NAME_SPACE + CONTROL_SPACE + slot)));
    this.arenaView = new DataView(this.arena.buffer);
    const base = addressOf(this.arena);
    this.#base = Number(base);
    for (let i = 0; i < count; i++) {
      this.arenaView.setBigUint64(i * IOVEC, base + BigInt(this.payload(i)), true);
      this.#headerView.setBigUint64(i * HEADER, base + BigInt(this.nameOffset(i)), true);
      this.#headerView.setBigUint64(i * HEADER + 16, base + BigInt(i * IOVEC), true);
      this.#headerView.setBigUint64(i * HEADER + 24, 1n, true);
      this.#headerView.setBigUint64(i * HEADER + 32, base + BigInt(this.controlOffset(i)), true);
    }
  }

  nameOffset(index: number): number {
    return this.count * IOVEC + index * NAME_SPACE;
  }

  controlOffset(index: number): number {
    return this.count * (IOVEC + NAME_SPACE) + index * CONTROL_SPACE;
  }

  payload(index: number): number {
    return this.count * (IOVEC + NAME_SPACE + CONTROL_SPACE) + index * this.slot;
  }

  /** Before a receive: a message may fill the whole slot, name and control space. */
  expect(index: number): void {
    this.describe(index, NAME_SPACE, CONTROL_SPACE, this.slot);
  }

  /** Before a send: how much of name, control and payload is filled. */
  describe(index: number, name: number, control: number, payload: number): void {
    const at = index * HEADER;
    this.#headerView.setUint32(at + 8, name, true);
    this.#headerView.setUint32(at + 40, control, true);
    this.arenaView.setUint32(index * IOVEC + 8, payload, true);
  }

  /** Before a send: the payload begins at `offset` of the arena, instead of at the message's own slot. */
  aim(index: number, offset: number): void {
    const address = this.#base + offset;
    this.arenaView.setUint32(index * IOVEC, address % 2 ** 32, true);
    this.arenaView.setUint32(index * IOVEC + 4, Math.floor(address / 2 ** 32), true);
  }

  /** After a receive: bytes in the payload. */
  received(index: number): number {
    return this.#headerView.getUint32(index * HEADER + 56, true);
  }

  /** After a receive: whether the message was longer than its slot. */
  truncated(index: number): boolean {
    return (this.#headerView.getUint32(index * HEADER + 48, true) & MSG_TRUNC) !== 0;
  }

  /** After a receive: bytes of control messages. */
  receivedControl(index: number): number {
    return this.#headerView.getUint32(index * HEADER + 40, true);
  }

  /** The headers from `index` on, for a call that goes on where the last one stopped. */
  headersFrom(index: number): Uint8Array {
    return index === 0 ? this.headers : this.headers.subarray(index * HEADER);
  }
}
