import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac } from '../addr/mac.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { NewRecord } from './outbox.ts';

/** A whole telling of leases stands between these two: what is not told there is no more. */
export function tellingBegun(at: number): NewRecord {
  return record({ at, kind: 'lease.all-begun' });
}

export function tellingEnded(at: number): NewRecord {
  return record({ at, kind: 'lease.all-ended' });
}

/** `expires`: Unix seconds, as in `dhcp.ack`. */
export function leaseBound(at: number, { address, mac, name, expires }: LeaseFact): NewRecord {
  return record({
    at,
    kind: 'lease.bound',
    address: formatIp4(address),
    mac: formatMac(mac),
    ...(name !== undefined && { name }),
    ...(expires !== undefined && { expires }),
  });
}

export function leaseEnded(at: number, address: Ip4): NewRecord {
  return record({ at, kind: 'lease.ended', address: formatIp4(address) });
}

function record(body: { readonly at: number; readonly [key: string]: unknown }): NewRecord {
  return { isLease: true, body: JSON.stringify(body) };
}
