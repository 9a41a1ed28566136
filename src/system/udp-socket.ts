import { writeIp4, type Ip4 } from '../addr/ip4.ts';
import type { DatagramSocket, Outbound, TrainSocket } from './datagram.ts';
import { Inbox } from './inbox.ts';
import { checked, type Libc } from './libc.ts';
import { IP_PKTINFO, IPPROTO_IP, writePacketInfo } from './packet-info.ts';
import { SendQueue } from './send-queue.ts';
import { ThreadSocket } from './thread-socket.ts';
import { TrainQueue } from './train-queue.ts';
import { UdpTrainSocket } from './train-socket.ts';
import { AF_INET, SOCKADDR_IN, SOCK_CLOEXEC_NONBLOCK, SOCK_DGRAM, SOL_SOCKET } from './socket-numbers.ts';

const SO_REUSEADDR = 2;
const SO_BROADCAST = 6;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_REUSEPORT = 15;
const SO_BINDTODEVICE = 25;
const SO_RCVBUFFORCE = 33;
const IP_MTU_DISCOVER = 10;
const IP_PMTUDISC_DONT = 0;
const DISCARD_PORT = 9;

/** Larger than any datagram of ours: DHCP and DNS stay below 1,500 bytes, a TFTP block below 1,472. */
const SLOT = 2048;

export interface UdpOptions {
  readonly address: Ip4;
  /** 0: the kernel chooses. */
  readonly port: number;
  /** Only datagrams that come in or leave through this interface. */
  readonly interface?: string;
  readonly broadcast?: boolean;
  /** Several sockets on one port share its load. */
  readonly reusePort?: boolean;
  /** Broadcasts are heard beside another program that allows it too. */
  readonly reuseAddress?: boolean;
  /**
   * What comes in tells the address it was sent to. Default: true. A socket bound to one address of ours need not be told, and
   * the kernel spends a few in a hundred of a small answer's time on it.
   */
  readonly tellsDestination?: boolean;
  /** Bytes; beyond `net.core.rmem_max` only with CAP_NET_ADMIN, else as much as the kernel allows. */
  readonly receiveBuffer?: number;
  readonly sendBuffer?: number;
}

/**
 * Opens and binds a UDP socket. DF is off: PXE ROMs can't
 * reassemble a path's MTU, and dnsmasq had to learn it (peers.md §3.1/17). Throws SystemCallError.
 */
export function openUdp(libc: Libc, options: UdpOptions): number {
  const fd = checked('socket', libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC_NONBLOCK, 0));
  try {
    if (options.tellsDestination !== false) setNumber(libc, fd, IPPROTO_IP, IP_PKTINFO, 1);
    setNumber(libc, fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
    if (options.broadcast) setNumber(libc, fd, SOL_SOCKET, SO_BROADCAST, 1);
    if (options.reuseAddress) allowReuse(libc, fd, true);
    if (options.reusePort) shareLoad(libc, fd, true);
    if (options.sendBuffer) setNumber(libc, fd, SOL_SOCKET, SO_SNDBUF, options.sendBuffer);
    if (options.receiveBuffer) setReceiveBuffer(libc, fd, options.receiveBuffer);
    if (options.interface !== undefined) {
      const name = Buffer.from(`${options.interface}\0`);
      checked('SO_BINDTODEVICE', libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length));
    }
    checked('bind', libc.bind(fd, socketAddress(options.address, options.port), SOCKADDR_IN));
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** Whether another socket may have this one's port; only while both allow it can a second one be bound. */
export function allowReuse(libc: Libc, fd: number, isAllowed: boolean): void {
  setNumber(libc, fd, SOL_SOCKET, SO_REUSEADDR, Number(isAllowed));
}

/** Whether sockets that allow it, too, may have the same address and port, and share what comes by who sent it. */
export function shareLoad(libc: Libc, fd: number, isAllowed: boolean): void {
  setNumber(libc, fd, SOL_SOCKET, SO_REUSEPORT, Number(isAllowed));
}

/**
 * From now on what comes goes to the other sockets that share the port of this one, which is of `address`; what it holds can be
 * read and answered. Linux gives a connected socket no part of the load: this one is connected to where nobody is. That fails
 * where the address is gone, and then nothing comes.
 */
export function retire(libc: Libc, fd: number, address: Ip4): void {
  libc.connect(fd, socketAddress(address, DISCARD_PORT), SOCKADDR_IN);
}

/** Beyond `net.core.rmem_max` only with CAP_NET_ADMIN, else as much as the kernel allows. Throws SystemCallError. */
export function setReceiveBuffer(libc: Libc, fd: number, bytes: number): void {
  const value = numberBytes(bytes);
  const forced = libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, value, value.length);
  if (forced < 0) checked('SO_RCVBUF', libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, value.length));
}

/** Sets an option of a socket that is a number. Throws SystemCallError. */
export function setNumber(libc: Libc, fd: number, level: number, name: number, value: number): void {
  const bytes = numberBytes(value);
  checked(`setsockopt ${name}`, libc.setsockopt(fd, level, name, bytes, bytes.length));
}

function numberBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** struct sockaddr_in: family in host order, port and address in network order. */
export function socketAddress(address: Ip4, port: number): Uint8Array {
  const bytes = Buffer.alloc(SOCKADDR_IN);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  writeIp4(bytes, 4, address);
  return bytes;
}

/** The port a socket was bound to, when the kernel chose it. */
export function boundPort(libc: Libc, fd: number): number {
  const address = Buffer.alloc(SOCKADDR_IN);
  checked('getsockname', libc.getsockname(fd, address, numberBytes(SOCKADDR_IN)));
  return address.readUInt16BE(2);
}

/** Makes sockets of one thread: they share the arrays they receive into and send from. */
export class UdpSockets {
  readonly #libc: Libc;
  readonly #inbox: Inbox;
  readonly #queue: SendQueue;
  #trains: TrainQueue | undefined;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#inbox = new Inbox(libc, SLOT);
    this.#queue = new SendQueue(libc, SLOT);
  }

  /** Works on a socket that someone else opened; `close` of it is then theirs too. */
  adopt(fd: number): DatagramSocket {
    return new UdpSocket(this.#libc, fd, this.#inbox, this.#queue, false);
  }

  /** Opens a socket of this thread's own. */
  open(options: UdpOptions): { readonly socket: DatagramSocket; readonly fd: number; readonly port: number } {
    const fd = openUdp(this.#libc, options);
    const socket = new UdpSocket(this.#libc, fd, this.#inbox, this.#queue, true);
    return { socket, fd, port: boundPort(this.#libc, fd) };
  }

  /** As `adopt`, for trains. */
  adoptForTrains(fd: number): TrainSocket {
    return this.#trainSocket(fd, false);
  }

  /** As `open`, for trains. */
  openForTrains(options: UdpOptions): { readonly socket: TrainSocket; readonly fd: number } {
    const fd = openUdp(this.#libc, options);
    return { socket: this.#trainSocket(fd, true), fd };
  }

  /** The queue is large, and most threads send no trains. */
  #trainSocket(fd: number, owned: boolean): TrainSocket {
    this.#trains ??= new TrainQueue(this.#libc);
    return new UdpTrainSocket(this.#libc, fd, this.#inbox, this.#trains, owned);
  }
}

class UdpSocket extends ThreadSocket<SendQueue> implements DatagramSocket {
  send(bytes: Uint8Array, to: Outbound): void {
    const batch = this.queue.batch;
    if (bytes.length > batch.slot) throw new RangeError(`a datagram of ${bytes.length} bytes, at most ${batch.slot}`);
    const index = this.queue.next(this.fd);
    const name = batch.nameOffset(index);
    batch.arenaView.setUint16(name, AF_INET, true);
    batch.arenaView.setUint16(name + 2, to.port);
    batch.arenaView.setUint32(name + 4, to.address);
    batch.arena.set(bytes, batch.payload(index));
    batch.describe(index, SOCKADDR_IN, writePacketInfo(batch, index, to), bytes.length);
  }
}
