/*
 * DHCP packets written and read the long way, by hand and from RFC 2131 figure 1: what the codec of ours does is not
 * asked here, so that a fault in it shows.
 */

/** What a test wants to say; all else is as a plain Ethernet client sends it. Addresses as text. */
export interface Words {
  readonly type?: number;
  readonly mac?: string;
  readonly op?: number;
  readonly htype?: number;
  readonly hlen?: number;
  readonly hops?: number;
  readonly xid?: number;
  readonly broadcast?: boolean;
  readonly ciaddr?: string;
  readonly giaddr?: string;
  /** Code and value, in this order, behind option 53. */
  readonly options?: readonly (readonly [number, readonly number[]])[];
}

/** A reply as a client sees it. */
export interface Reply {
  readonly op: number;
  readonly htype: number;
  readonly hlen: number;
  readonly xid: number;
  readonly flags: number;
  readonly ciaddr: string;
  readonly yiaddr: string;
  readonly siaddr: string;
  readonly giaddr: string;
  readonly mac: string;
  readonly file: string;
  readonly type: number;
  /** Codes as they follow each other. */
  readonly order: readonly number[];
  readonly options: ReadonlyMap<number, readonly number[]>;
  readonly length: number;
}

export const DISCOVER = 1;
export const OFFER = 2;
export const REQUEST = 3;
export const DECLINE = 4;
export const ACK = 5;
export const NAK = 6;
export const RELEASE = 7;
export const INFORM = 8;

export function quad(text: string): number[] {
  return text.split('.').map(Number);
}

export function dotted(bytes: readonly number[] | Uint8Array): string {
  return bytes.join('.');
}

export function letters(text: string): number[] {
  return [...Buffer.from(text, 'latin1')];
}

export function seconds(bytes: readonly number[] | undefined): number {
  return Buffer.from(bytes ?? []).readUInt32BE(0);
}

export function writePacket(words: Words): Uint8Array {
  const { type, op = 1, htype = 1, hlen = 6, hops = 0, xid = 0x3903f326, options = [] } = words;
  const hardware = (words.mac ?? '52:54:00:00:00:01').split(':').map((byte) => Number.parseInt(byte, 16));
  const head = new Uint8Array(240);
  head.set([op, htype, hlen, hops, xid >>> 24, (xid >>> 16) & 255, (xid >>> 8) & 255, xid & 255]);
  head.set([words.broadcast ? 0x80 : 0], 10);
  head.set(quad(words.ciaddr ?? '0.0.0.0'), 12);
  head.set(quad(words.giaddr ?? '0.0.0.0'), 24);
  head.set(hardware, 28);
  head.set([99, 130, 83, 99], 236);
  const tail = type === undefined ? [] : [53, 1, type];
  for (const [code, value] of options) tail.push(code, value.length, ...value);
  const bytes = new Uint8Array(head.length + tail.length + 1);
  bytes.set(head);
  bytes.set(tail, head.length);
  bytes.fill(255, -1);
  return bytes;
}

export function readReply(packet: Uint8Array): Reply {
  const bytes = Buffer.from(packet);
  const options = new Map<number, readonly number[]>();
  const order: number[] = [];
  let at = 240;
  for (; at < bytes.length && bytes[at] !== 255; at += 2 + bytes.readUInt8(at + 1)) {
    const code = bytes.readUInt8(at);
    if (code === 0) throw new Error('a Pad before End');
    order.push(code);
    const value = [...bytes.subarray(at + 2, at + 2 + bytes.readUInt8(at + 1))];
    options.set(code, [...(options.get(code) ?? []), ...value]);
  }
  if (at >= bytes.length) throw new Error('no End');
  if (bytes.readUInt32BE(236) !== 0x63825363) throw new Error('no cookie');
  return {
    op: bytes.readUInt8(0),
    htype: bytes.readUInt8(1),
    hlen: bytes.readUInt8(2),
    xid: bytes.readUInt32BE(4),
    flags: bytes.readUInt16BE(10),
    ciaddr: dotted(bytes.subarray(12, 16)),
    yiaddr: dotted(bytes.subarray(16, 20)),
    siaddr: dotted(bytes.subarray(20, 24)),
    giaddr: dotted(bytes.subarray(24, 28)),
    mac: Array.from(bytes.subarray(28, 34), (byte) => byte.toString(16).padStart(2, '0')).join(':'),
    file: bytes.toString('latin1', 108, 236).replace(/\0.*$/s, ''),
    type: options.get(53)?.[0] ?? 0,
    order,
    options,
    length: bytes.length,
  };
}
