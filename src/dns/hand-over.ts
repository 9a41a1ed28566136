import type { Ip4 } from '../addr/ip4.ts';
import type { Counters, SocketHandle } from '../service/letters.ts';
import type { DatagramColumns } from '../service/thread-note.ts';
import { Tally } from '../service/tally.ts';
import type { Inbound } from '../system/datagram.ts';

/** Datagrams under way at a time; as many fit into a socket's buffer. */
const MOST_UNDER_WAY = 1024;

/** Of a datagram what matters to who answers it. */
export type Received = Pick<Inbound, 'bytes' | 'source' | 'sourcePort'>;

/** Hands datagrams over to the thread that can answer them, a batch at a time. Those for which there is no room are lost. */
export class HandOver {
  readonly #send: (datagrams: DatagramColumns) => void;
  readonly #tally = new Tally();
  #waiting: Received[] = [];
  #underWay = 0;

  constructor(send: (datagrams: DatagramColumns) => void) {
    this.#send = send;
  }

  /** Takes a copy. */
  add({ bytes, source, sourcePort }: Received): void {
    if (this.#underWay + this.#waiting.length >= MOST_UNDER_WAY) return this.#tally.add('dropped.hand-over');
    this.#waiting.push({ bytes: Buffer.from(bytes), source, sourcePort });
    this.#tally.add('handed-over');
  }

  /** Sends those that came by one socket. */
  flush({ address, port }: Pick<SocketHandle, 'address' | 'port'>): void {
    const datagrams = this.#waiting;
    if (datagrams.length === 0) return;
    this.#waiting = [];
    this.#underWay += datagrams.length;
    this.#send({ address, port, ...columnsOf(datagrams) });
  }

  /** So many were dealt with. */
  taken(count: number): void {
    this.#underWay = Math.max(0, this.#underWay - count);
  }

  /** Whoever was to deal with them is another now. */
  beginAnew(): void {
    this.#underWay = 0;
  }

  counters(): Counters {
    return this.#tally.read();
  }
}

function columnsOf(datagrams: readonly Received[]): Omit<DatagramColumns, 'address' | 'port'> {
  return {
    sources: Uint32Array.from(datagrams, ({ source }) => source),
    sourcePorts: Uint16Array.from(datagrams, ({ sourcePort }) => sourcePort),
    lengths: Uint16Array.from(datagrams, ({ bytes }) => bytes.length),
    bytes: Buffer.concat(datagrams.map(({ bytes }) => bytes)),
  };
}

/** One after the other, as they came. */
export function* receivedIn({ sources, sourcePorts, lengths, bytes }: DatagramColumns): Generator<Received> {
  let at = 0;
  for (const [row, length] of lengths.entries()) {
    const end = at + length;
    yield {
      bytes: bytes.subarray(at, end),
      source: (sources[row] ?? 0) as Ip4,
      sourcePort: sourcePorts[row] ?? 0,
    };
    at = end;
  }
}
