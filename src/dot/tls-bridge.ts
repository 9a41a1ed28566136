import { chmodSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { connect, getCACertificates, type TLSSocket } from 'node:tls';

import { formatIp4 } from '../addr/ip4.ts';
import type { Upstream } from '../plan/plan.ts';
import type { ServiceContext } from '../service/service.ts';
import { messageOf } from '../system/message-of.ts';

/** Only rackboot itself may ask by it. */
const SOCKET_MODE = 0o600;
/** Milliseconds for TCP and TLS together. */
const HANDSHAKE = 4_000;
/** Milliseconds that nothing is tried after a failure, doubled each time. */
const FIRST_REST = 250;
const LONGEST_REST = 8_000;

interface BridgeCounts {
  connections: number;
  /** Those of them that went on with what was agreed before (RFC 8446 §2.2). */
  resumed: number;
  failed: number;
}

/** Carries bytes between a socket in the file system and one upstream, by TLS, having seen to it who that is. */
export class TlsBridge {
  readonly name: string;
  readonly counts: BridgeCounts = { connections: 0, resumed: 0, failed: 0 };
  readonly #context: ServiceContext;
  readonly #path: string;
  readonly #upstream: Upstream & { readonly tls: string };
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #authorities: readonly string[] | undefined;
  #session: Buffer | undefined;
  /** The reason that was told. */
  #fault: string | undefined;
  #rest = FIRST_REST;
  #restUntil = 0;

  constructor(context: ServiceContext, path: string, upstream: Upstream & { readonly tls: string }) {
    this.#context = context;
    this.#path = path;
    this.#upstream = upstream;
    this.name = `${formatIp4(upstream.address)}:${upstream.port}/${upstream.tls}`;
    this.#server = createServer({ pauseOnConnect: true }, (local) => this.#accept(local));
    this.#server.on('error', (error) => this.#complain(`its socket ${path} can't be had: ${error.message}`));
    this.#listen();
  }

  /** Who may vouch for the upstream: those in a file, or those the system trusts. The file is read now, and at each Plan. */
  useAuthorities(file: string | undefined): void {
    try {
      this.#authorities = file === undefined ? systemAuthorities() : [readFileSync(file, 'utf8')];
    } catch (error) {
      // What was read before goes on to count
      this.#complain(`its CA file can't be read: ${messageOf(error)}`);
    }
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #listen(): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      // Left behind by a rack that was killed: one rack works in one directory
      rmSync(this.#path, { force: true });
    } catch (error) {
      return this.#complain(`its socket ${this.#path} can't be had: ${messageOf(error)}`);
    }
    this.#server.listen(this.#path, () => chmodSync(this.#path, SOCKET_MODE));
  }

  #accept(local: Socket): void {
    this.#open.add(local);
    local.on('close', () => this.#open.delete(local));
    local.on('error', () => local.destroy());
    // After a failure the DNS service asks others; it is not to try a handshake for each question
    if (this.#authorities === undefined || this.#context.clock.monotonic() < this.#restUntil) local.destroy();
    else this.#connect(local, this.#authorities);
  }

  #connect(local: Socket, authorities: readonly string[]): void {
    try {
      this.#join(local, this.#reach(authorities));
    } catch (error) {
      // Node takes some settings for mistakes of the program: none may end the thread, which carries other upstreams too
      this.#fail(error);
      local.destroy();
    }
  }

  /** Throws for what Node does not take for a name. */
  #reach(authorities: readonly string[]): TLSSocket {
    const { address, port, tls } = this.#upstream;
    return connect({
      host: formatIp4(address),
      port,
      // Both is it asked for under this name, and must its certificate be for it (RFC 8310 §8.1)
      servername: tls,
      ca: [...authorities],
      minVersion: 'TLSv1.2',
      // RFC 7858 has no ALPN of its own; the registry has
      ALPNProtocols: ['dot'],
      ...(this.#session && { session: this.#session }),
    });
  }

  #join(local: Socket, remote: TLSSocket): void {
    const timer = setTimeout(() => remote.destroy(new Error(`no handshake within ${HANDSHAKE / 1000} s`)), HANDSHAKE);
    let isSecure = false;
    remote.on('session', (session: Buffer) => (this.#session = session));
    remote.on('secureConnect', () => {
      isSecure = true;
      clearTimeout(timer);
      this.#works(remote);
      local.pipe(remote);
      remote.pipe(local);
    });
    remote.on('error', (error) => {
      if (!isSecure) this.#fail(error);
    });
    remote.on('close', () => {
      clearTimeout(timer);
      local.destroy();
    });
    local.on('close', () => remote.destroy());
  }

  #works(remote: TLSSocket): void {
    this.counts.connections++;
    if (remote.isSessionReused()) this.counts.resumed++;
    this.#rest = FIRST_REST;
    if (this.#fault !== undefined) this.#context.events.emit({ kind: 'dns.tls-works', upstream: this.name });
    this.#fault = undefined;
  }

  #fail(error: unknown): void {
    this.counts.failed++;
    this.#session = undefined;
    this.#restUntil = this.#context.clock.monotonic() + this.#rest;
    this.#rest = Math.min(2 * this.#rest, LONGEST_REST);
    this.#complain(messageOf(error));
  }

  #complain(reason: string): void {
    if (reason === this.#fault) return;
    this.#fault = reason;
    this.#context.events.emit({ kind: 'dns.tls-failed', upstream: this.name, reason });
  }
}

/** Those of the system; those that Node brings along where the system has none. */
function systemAuthorities(): readonly string[] {
  const system = getCACertificates('system');
  return system.length > 0 ? system : getCACertificates('bundled');
}
