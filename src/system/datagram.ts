import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';

/** One received datagram. `bytes` is a view of the receive buffer: valid only inside the handler. */
export interface Inbound {
  readonly bytes: Uint8Array;
  readonly source: Ip4;
  readonly sourcePort: number;
  /** The address it was sent to: ours, or a broadcast address. Unspecified where the socket does not tell. */
  readonly destination: Ip4;
  /** The interface it came in on; 0 where the socket does not tell. */
  readonly ifindex: number;
}

/** Where a datagram goes, and optionally from which of our addresses and through which interface. */
export interface Outbound {
  readonly address: Ip4;
  readonly port: number;
  readonly source?: Ip4;
  readonly ifindex?: number;
}

/** A UDP socket that works in batches, so that one system call carries up to `BATCH` datagrams. */
export interface DatagramSocket {
  /** Hands over what is waiting, up to `INBOX` of them; returns how many there were, too long ones (lost) included. Never blocks. */
  receive(handle: (datagram: Inbound) => void): number;
  /** Queues a copy of `bytes`; a full queue is flushed first. */
  send(bytes: Uint8Array, to: Outbound): void;
  /** Sends what is queued; returns how many the kernel would not take (counted, dropped: UDP may lose). */
  flush(): number;
  close(): void;
}

/**
 * A UDP socket for packets that are written where they are sent from, and that may leave as a train: several of one size
 * to one client, handed over as one and cut up by the kernel (UDP_SEGMENT), which costs little more than a single one.
 */
export interface TrainSocket {
  /** As DatagramSocket's. */
  receive(handle: (datagram: Inbound) => void): number;
  /** Where `room` puts packets. */
  readonly buffer: Uint8Array;
  /** The offset in `buffer` of room for `size` bytes, LONGEST_TRAIN at most; what is queued may be sent first. Good until the next `send`. */
  room(size: number): number;
  /**
   * Queues the `length` bytes at the last `room`: packets of `segment` bytes each, of which the last may be shorter; at most
   * MOST_SEGMENTS. One packet when `segment` is `length`.
   */
  send(length: number, segment: number, to: Outbound): void;
  /** As DatagramSocket's; waits a moment for an interface that is busy. */
  flush(): number;
  close(): void;
}

/** UDP_MAX_SEGMENTS of kernels since 4.18. */
export const MOST_SEGMENTS = 64;
/** A train travels as one IPv4 packet inside the kernel: 65,535 bytes less the headers, rounded down. */
export const LONGEST_TRAIN = 65_000;

/** Puts an IPv4 UDP datagram on an Ethernet link, for a client that has no address yet and answers no ARP. */
export interface LinkSender {
  send(bytes: Uint8Array, to: LinkDestination): void;
  flush(): number;
  close(): void;
}

/** Hears who answers or announces itself by ARP on one Ethernet link, and asks everyone on it. */
export interface ArpLink {
  /** Our hardware address there, as it is now; undefined while the interface is gone. */
  readonly mac: Mac | undefined;
  /** Hands over the packets that are waiting, up to one batch; each is a view of the buffer, valid only inside the handler. */
  receive(handle: (packet: Uint8Array) => void): void;
  /** Queues a copy of `packet` for everyone. */
  broadcast(packet: Uint8Array): void;
  /** Sends what is queued; returns how many the kernel would not take. */
  flush(): number;
  close(): void;
}

/** Hears whole Ethernet frames of one link, and sends some. */
export interface FrameLink {
  /** Our hardware address there, as it is now; undefined while the interface is gone. */
  readonly mac: Mac | undefined;
  /**
   * Hands over the frames that are waiting, up to one batch, each with the TCI of the tag that was taken off it, 0 for none; a
   * frame is a view of the buffer, valid only inside the handler. Returns how many there were.
   */
  receive(handle: (frame: Uint8Array, tag: number) => void): number;
  /** As many as one batch has. */
  readonly batch: number;
  /** How many frames the kernel had no room for since this was last asked. */
  takeDropped(): number;
  /** Queues a copy of a whole frame. */
  send(frame: Uint8Array): void;
  /** Sends what is queued; returns how many the kernel would not take. */
  flush(): number;
  close(): void;
}

export interface LinkDestination {
  readonly ifindex: number;
  readonly mac: number;
  readonly source: Ip4;
  readonly sourcePort: number;
  readonly address: Ip4;
  readonly port: number;
}

/** Datagrams per system call: what the kernel's own batching peers use, and past it the gain is in the noise. */
export const BATCH = 64;
/** Datagrams taken at once: a service that writes to disk before it answers pays one sync for all of them. */
export const INBOX = 256;
