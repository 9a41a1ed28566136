import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls, getCACertificates, type TLSSocket } from 'node:tls';

import { messageOf } from '../system/message-of.ts';
import { RegionFault } from './region-fault.ts';
import { faultOf } from './transport.ts';

/** Whom we take for the region. */
export interface Trust {
  /** A file of certificates that may vouch for it, PEM; absent: those the system trusts. */
  readonly ca?: string;
  /** SHA-256 of public keys (SPKI), hex, one of which it must have: then nobody need vouch for it, and dates count for nothing. */
  readonly pins?: readonly string[];
}

/** Certificates are judged by the clock, and that of a rack may be far off. */
const DATE_FAULTS: ReadonlySet<string> = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED']);

/**
 * Opens a connection, over TLS where the URL says so, and gives it when it is known whose it is: nothing of ours was sent until then.
 * Rejects with RegionFault. `protocols`: what we can speak, for ALPN (RFC 7301). `within`: milliseconds.
 */
export async function dial(url: URL, trust: Trust, protocols: readonly string[], within: number): Promise<Socket> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'http:') {
    const socket = connectPlain({ host, port: Number(url.port || 80) });
    return opened(socket, 'connect', within);
  }
  const socket = connectTls({
    host,
    port: Number(url.port || 443),
    // A name only (RFC 6066 §3)
    ...(isIP(host) === 0 && { servername: host }),
    minVersion: 'TLSv1.2',
    ALPNProtocols: [...protocols],
    ...(trust.pins ? { rejectUnauthorized: false } : { ca: authorities(trust.ca) }),
  });
  await opened(socket, 'secureConnect', within);
  if (trust.pins) checkPin(socket, trust.pins);
  return socket;
}

function opened<S extends Socket>(socket: S, event: 'connect' | 'secureConnect', within: number): Promise<S> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(explain(error));
    };
    const timer = setTimeout(() => fail(new RegionFault('away', `no connection in ${within / 1000} s`)), within);
    socket.once('error', fail);
    socket.once('close', () => fail(new RegionFault('away', 'the connection was cut')));
    socket.once(event, () => {
      clearTimeout(timer);
      socket.removeAllListeners('close');
      socket.off('error', fail);
      // Between two owners it may fail, too: the next one sees that it is closed
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

function explain(error: Error): RegionFault {
  const { code = '' } = error as NodeJS.ErrnoException;
  const fault = faultOf(error);
  if (!DATE_FAULTS.has(code)) return fault;
  return new RegionFault('away', `${fault.message}; the clock of this rack says ${new Date().toISOString()}`);
}

function checkPin(socket: TLSSocket, pins: readonly string[]): void {
  const spki = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' });
  const found = spki && createHash('sha256').update(spki).digest('hex');
  if (found !== undefined && pins.includes(found)) return;
  socket.destroy();
  throw new RegionFault('away', `has the public key ${found ?? 'of nobody'}, which is not pinned`);
}

/** Read at each connection: the file may be replaced. */
function authorities(file: string | undefined): string[] {
  if (file === undefined) {
    const system = getCACertificates('system');
    return system.length > 0 ? system : getCACertificates('bundled');
  }
  try {
    return [readFileSync(file, 'utf8')];
  } catch (error) {
    throw new RegionFault('away', `region.ca can't be read: ${messageOf(error)}`);
  }
}
