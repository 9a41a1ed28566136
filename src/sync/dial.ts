import type { Socket } from 'node:net';

import type { RegionTrust } from '../plan/plan.ts';
import { messageOf } from '../system/message-of.ts';
import { ConnectionError, openTrustedConnection, readTrust, type Trust } from '../system/trusted-connection.ts';
import { RegionFault } from './region-fault.ts';

/** Certificates are judged by the clock, and that of a rack may be far off. */
const DATE_FAULTS: ReadonlySet<string> = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED']);

/** Opens a connection to a region. Rejects with RegionFault. `protocols`: what we can speak, for ALPN (RFC 7301). `within`: milliseconds. */
export async function dial(
  url: URL,
  trust: RegionTrust,
  protocols: readonly string[],
  within: number,
): Promise<Socket> {
  const read = trustIn(trust);
  try {
    return await openTrustedConnection({ url, trust: read, protocols, within });
  } catch (error) {
    const reason = messageOf(error);
    const isOfDates = error instanceof ConnectionError && DATE_FAULTS.has(error.code);
    throw new RegionFault(
      'away',
      isOfDates ? `${reason}; the clock of this rack says ${new Date().toISOString()}` : reason,
    );
  }
}

function trustIn(trust: RegionTrust): Trust {
  try {
    return readTrust(trust);
  } catch (error) {
    throw new RegionFault('away', `region.ca can't be read: ${messageOf(error)}`);
  }
}
