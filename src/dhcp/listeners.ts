import type { SocketHandle } from '../service/letters.ts';
import type { DatagramSocket, LinkSender } from '../system/datagram.ts';
import type { Loop } from '../system/loop.ts';

/** A socket that is served, and what the rack says of it now. */
export interface Listener {
  readonly handle: SocketHandle;
  readonly socket: DatagramSocket;
}

export interface ListenersDependencies {
  readonly loop: Loop;
  readonly openSocket: (handle: SocketHandle) => DatagramSocket;
  readonly openLink: (handle: SocketHandle) => LinkSender;
}

interface Open extends Listener {
  handle: SocketHandle;
  readonly watch: { close(): void };
}

/** The sockets that the rack gives to the service: they come, stay and go with the Plan. */
export class Listeners {
  readonly #dependencies: ListenersDependencies;
  readonly #serve: (listener: Listener) => void;
  #open = new Map<number, Open>();
  #link: LinkSender | undefined;
  #linkFd: number | undefined;

  /** `serve` is called whenever a socket has something to read. */
  constructor(dependencies: ListenersDependencies, serve: (listener: Listener) => void) {
    this.#dependencies = dependencies;
    this.#serve = serve;
  }

  /** The raw socket; undefined where there is none. */
  get link(): LinkSender | undefined {
    return this.#link;
  }

  /** Whether a reload left it open. */
  isOpen(listener: Listener): boolean {
    return this.#open.get(listener.handle.fd) === listener;
  }

  /** A socket that stays keeps its watch: nothing that waits in it is lost. */
  apply(handles: readonly SocketHandle[]): void {
    const next = new Map<number, Open>();
    for (const handle of handles) if (handle.transport === 'udp') next.set(handle.fd, this.#keepOrOpen(handle));
    for (const [fd, open] of this.#open) if (!next.has(fd)) closeOne(open);
    this.#open = next;
    this.#useLink(handles.find(({ transport }) => transport === 'link'));
  }

  close(): void {
    for (const open of this.#open.values()) closeOne(open);
    this.#link?.close();
  }

  #keepOrOpen(handle: SocketHandle): Open {
    const present = this.#open.get(handle.fd);
    if (!present) return this.#openOne(handle);
    // The same socket may have got another address
    present.handle = handle;
    return present;
  }

  #openOne(handle: SocketHandle): Open {
    const { loop, openSocket } = this.#dependencies;
    const socket = openSocket(handle);
    const open: Open = { handle, socket, watch: loop.watch(handle.fd, () => this.#serve(open)) };
    return open;
  }

  #useLink(handle: SocketHandle | undefined): void {
    if (handle?.fd === this.#linkFd) return;
    this.#link?.close();
    this.#link = handle && this.#dependencies.openLink(handle);
    this.#linkFd = handle?.fd;
  }
}

function closeOne({ watch, socket }: Open): void {
  watch.close();
  socket.close();
}
