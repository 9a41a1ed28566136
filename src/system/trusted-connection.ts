import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, getCACertificates, type TLSSocket } from 'node:tls';

import { messageOf } from './message-of.ts';

/** Whom we take for a server. */
export interface Trust {
  /** Certificates that may vouch for it, PEM; absent: those the system trusts. */
  readonly ca?: string | undefined;
  /** SHA-256 of public keys (SPKI), in hex, one of which it must have: then nobody need vouch for it. */
  readonly pins?: readonly string[] | undefined;
}

/** The same of a file of certificates, which is read at each connection, as it may be replaced; where pins count it is not. Throws what the disk says. */
export function readTrust({ ca, pins }: Trust): Trust {
  return pins || ca === undefined ? { pins } : { ca: readFileSync(ca, 'utf8') };
}

/** What the other side says of itself, as its certificate does, may be long, and meant for a terminal. */
const LONGEST_REASON = 300;
const UNSEEMLY = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

/** Nobody whom we trust is there. The message is a clause about it, of one line. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** As the system or TLS calls it; empty where it has no name. */
  readonly code: string;

  constructor(message: string, code = '') {
    super(message.replaceAll(UNSEEMLY, ' ').slice(0, LONGEST_REASON));
    this.code = code;
  }
}

/**
 * A connection to the host of `url`, by TLS where it says https, once it is known whose it is: nothing was sent until then. Rejects with
 * ConnectionError. `within`: milliseconds.
 */
export async function openTrustedConnection(wish: ConnectionWish): Promise<Socket> {
  const { url, trust, within, protocols = ['http/1.1'] } = wish;
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  if (url.protocol === 'http:') return opened(connectPlain({ host, port: Number(url.port || 80) }), 'connect', within);
  const socket = connectTls({
    host,
    port: Number(url.port || 443),
    // Of names only (RFC 6066 §3)
    ...(isIP(host) === 0 && { servername: host }),
    minVersion: 'TLSv1.2',
    ALPNProtocols: [...protocols],
    ...(trust.pins ? { rejectUnauthorized: false } : { ca: trust.ca ?? systemAuthorities() }),
  });
  await opened(socket, 'secureConnect', within);
  if (trust.pins) demandPin(socket, trust.pins);
  return socket;
}

export interface ConnectionWish {
  readonly url: URL;
  readonly trust: Trust;
  /** What we can speak, for ALPN (RFC 7301). Default: HTTP/1.1. */
  readonly protocols?: readonly string[];
  /** Milliseconds. */
  readonly within: number;
}

function systemAuthorities(): string[] {
  const system = getCACertificates('system');
  return system.length > 0 ? system : getCACertificates('bundled');
}

function opened<S extends Socket>(socket: S, event: 'connect' | 'secureConnect', within: number): Promise<S> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(new Error(`no connection in ${within / 1000} s`)), within);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new ConnectionError(reasonOf(error), (error as NodeJS.ErrnoException).code));
    };
    // It stays: between two owners a connection may fail too, and the next one sees that it is closed
    socket.on('error', fail);
    socket.once('close', () => fail(new Error('the connection was cut')));
    socket.once(event, () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

function demandPin(socket: TLSSocket, pins: readonly string[]): void {
  const found = keyOf(socket);
  if (found !== undefined && pins.includes(found)) return;
  socket.destroy();
  throw new ConnectionError(`it has the public key ${found ?? 'of nobody'}, which is not pinned`);
}

/** Undefined where it has none, or one of a kind that nobody knows. */
function keyOf(socket: TLSSocket): string | undefined {
  try {
    const spki = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
    return spki && createHash('sha256').update(spki).digest('hex');
  } catch {
    return undefined;
  }
}

function reasonOf(error: Error): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  // Of several addresses none answered: the message is empty
  const message = error instanceof AggregateError ? messageOf(error.errors[0] ?? error) : error.message;
  if (code === 'ECONNRESET') return 'the connection was cut';
  return code === '' || message.includes(code) ? message : `${message} (${code})`;
}
