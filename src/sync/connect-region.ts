import type { TLSSocket } from 'node:tls';

import type { RegionTrust } from '../plan/plan.ts';
import { dial } from './dial.ts';
import { Http1Transport } from './http1-transport.ts';
import { Http2Transport } from './http2-transport.ts';
import type { Transport } from './transport.ts';

/** Milliseconds for TCP and TLS together. */
const HANDSHAKE = 10_000;

/** Connects to a region, by HTTP/2 where it can that and by HTTP/1.1 where not. Rejects with RegionFault. */
export async function connectRegion(address: string, trust: RegionTrust): Promise<Transport> {
  const url = new URL(address);
  const again = (protocols: readonly string[]) => dial(url, trust, protocols, HANDSHAKE);
  if (url.protocol === 'http:') return new Http1Transport(url, () => again([]));
  const socket = await again(['h2', 'http/1.1']);
  if ((socket as TLSSocket).alpnProtocol === 'h2') return new Http2Transport(url, socket);
  return new Http1Transport(url, () => again(['http/1.1']), socket);
}
