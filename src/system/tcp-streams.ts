import { readIp4, UNSPECIFIED, type Ip4 } from '../addr/ip4.ts';
import { checked, lastError, SystemCallError, type Libc } from './libc.ts';
import type { DuplexLoop } from './loop.ts';
import { AF_INET, AF_UNIX, IPPROTO_TCP, SOCK_CLOEXEC_NONBLOCK, SOCK_STREAM, SOCKADDR_IN } from './socket-numbers.ts';
import { Outbox } from './stream-outbox.ts';
import type { Accepted, Stream, StreamAcceptor, StreamConnector, StreamHandler, TcpDestination } from './stream.ts';
import { TcpStream, type StreamGround } from './tcp-stream.ts';
import { socketAddress } from './udp-socket.ts';

const TCP_NODELAY = 1;
const IPPROTO_IP = 0;
/** The port is chosen at the connect, so that many may leave from one address (Linux 4.2). */
const IP_BIND_ADDRESS_NO_PORT = 24;
const ONE = Buffer.from([1, 0, 0, 0]);
/** As much as is taken of one stream before the others have their turn; two DNS messages of the largest size are no more. */
const RECEIVE_ROOM = 128 * 1024;
/** Of one that came in: a hundred questions, each of which may ask for far more. */
const ACCEPTED_ROOM = 4 * 1024;
/** struct sockaddr_un: family and path, with its zero. */
const UNIX_PATH_ROOM = 108;

/** Makes streams of one thread: they share the room they receive into and gather in. */
export class TcpStreams implements StreamAcceptor, StreamConnector {
  readonly #ground: StreamGround;
  readonly #acceptedGround: StreamGround;
  readonly #peer = Buffer.alloc(SOCKADDR_IN);

  constructor(libc: Libc, loop: DuplexLoop) {
    this.#ground = { libc, loop, inbox: Buffer.alloc(RECEIVE_ROOM), outbox: new Outbox() };
    this.#acceptedGround = { ...this.#ground, inbox: this.#ground.inbox.subarray(0, ACCEPTED_ROOM) };
  }

  accept(listener: number): Accepted | string {
    const length = Buffer.from([SOCKADDR_IN, 0, 0, 0]);
    const fd = this.#ground.libc.accept4(listener, this.#peer, length, SOCK_CLOEXEC_NONBLOCK);
    if (fd < 0) return lastError();
    return { fd, address: readIp4(this.#peer, 4), port: this.#peer.readUInt16BE(2) };
  }

  adopt({ fd }: Accepted, handler: StreamHandler): Stream {
    this.#sendAtOnce(fd);
    return new TcpStream(this.#acceptedGround, fd, handler, 'open');
  }

  refuse({ fd }: Accepted): void {
    this.#ground.libc.close(fd);
  }

  connect(to: TcpDestination, handler: StreamHandler): Stream {
    return this.#open(AF_INET, handler, (fd) => {
      this.#sendAtOnce(fd);
      if (to.source !== undefined && to.source !== UNSPECIFIED) this.#bind(fd, to.source);
      return socketAddress(to.address, to.port);
    });
  }

  connectUnix(path: string, handler: StreamHandler): Stream {
    return this.#open(AF_UNIX, handler, () => unixAddress(path));
  }

  #open(family: number, handler: StreamHandler, prepare: (fd: number) => Uint8Array): Stream {
    const { libc } = this.#ground;
    let fd = -1;
    try {
      fd = checked('socket', libc.socket(family, SOCK_STREAM | SOCK_CLOEXEC_NONBLOCK, 0));
      const address = prepare(fd);
      if (libc.connect(fd, address, address.length) < 0 && lastError() !== 'EINPROGRESS') {
        throw new SystemCallError('connect', lastError());
      }
      return new TcpStream(this.#ground, fd, handler, 'connecting');
    } catch (error) {
      if (!(error instanceof SystemCallError)) throw error;
      if (fd >= 0) libc.close(fd);
      return this.#stillborn(handler, error.code);
    }
  }

  #bind(fd: number, source: Ip4): void {
    const { libc } = this.#ground;
    libc.setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, ONE, ONE.length);
    checked('bind', libc.bind(fd, socketAddress(source, 0), SOCKADDR_IN));
  }

  /** Each write here is a whole message or more: there is nothing to wait for. */
  #sendAtOnce(fd: number): void {
    this.#ground.libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ONE, ONE.length);
  }

  #stillborn(handler: StreamHandler, error: string): Stream {
    const timer = this.#ground.loop.after(0, () => handler.closed(stream, error));
    const close = (): void => timer.cancel();
    const stream: Stream = {
      buffered: 0,
      write: ignore,
      hand: ignore,
      pause: ignore,
      resume: ignore,
      end: ignore,
      close,
      reset: close,
    };
    return stream;
  }
}

function ignore(): void {
  // It leads nowhere
}

function unixAddress(path: string): Uint8Array {
  const bytes = Buffer.from(`..${path}\0`);
  if (bytes.length > 2 + UNIX_PATH_ROOM) throw new SystemCallError('connect', 'ENAMETOOLONG');
  bytes.writeUInt16LE(AF_UNIX, 0);
  return bytes;
}
