import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

import { messageOf } from '../system/message-of.ts';
import { ConnectionError, openTrustedConnection } from '../system/trusted-connection.ts';
import { RegionFault } from './region-fault.ts';

/** Whom we take for the region. */
export interface Trust {
  /** A file of certificates that may vouch for it, PEM; absent: those the system trusts. */
  readonly ca?: string;
  /** SHA-256 of public keys (SPKI), hex, one of which it must have: then nobody need vouch for it, and dates count for nothing. */
  readonly pins?: readonly string[];
}

/** Certificates are judged by the clock, and that of a rack may be far off. */
const DATE_FAULTS: ReadonlySet<string> = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED']);

/** Opens a connection to a region. Rejects with RegionFault. `protocols`: what we can speak, for ALPN (RFC 7301). `within`: milliseconds. */
export async function dial(
  url: URL,
  { ca, pins }: Trust,
  protocols: readonly string[],
  within: number,
): Promise<Socket> {
  const trust = { pins, ...(ca !== undefined && pins === undefined && { ca: authorities(ca) }) };
  try {
    return await openTrustedConnection({ url, trust, protocols, within });
  } catch (error) {
    const reason = messageOf(error);
    const isOfDates = error instanceof ConnectionError && DATE_FAULTS.has(error.code);
    throw new RegionFault(
      'away',
      isOfDates ? `${reason}; the clock of this rack says ${new Date().toISOString()}` : reason,
    );
  }
}

/** Read at each connection: the file may be replaced. */
function authorities(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new RegionFault('away', `region.ca can't be read: ${messageOf(error)}`);
  }
}
