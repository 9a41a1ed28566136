import type { Lease } from '../leases/lease.ts';
import type { LeaseFact } from '../service/letters.ts';
import { isEndless } from './bootp.ts';
import type { Exchange } from './exchange.ts';

/** A kept address belongs to its machine on or off: its name stays. So does the one of a BOOTP client. */
export function factOf({ address, mac, name, expires, kept }: Lease, isHost = false): LeaseFact {
  const fact: { -readonly [key in keyof LeaseFact]: LeaseFact[key] } = { address, mac };
  if (name !== undefined) fact.name = name;
  if (hasEnd({ expires, kept })) fact.expires = expires;
  if (isHost) fact.host = true;
  return fact;
}

/** Whether a time is told by which the address may be someone else's. */
export function hasEnd({ expires, kept }: Pick<Lease, 'expires' | 'kept'>): boolean {
  return !kept && !isEndless(expires);
}

/** Whether the client is a host by another sign than its MAC. */
export function isHostBySign({ client, addresses }: Exchange): boolean {
  const host = addresses.host(client);
  return host !== undefined && !host.macs.includes(client.mac);
}
