import { formatIp4, type Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';

/** What a row of Kea's memfile says. */
export interface KeaLease {
  readonly address: Ip4;
  readonly mac: Mac;
  readonly name?: string;
  /** Unix seconds. */
  readonly expires: number;
  readonly lifetimeSeconds: number;
  readonly subnetId: number;
}

/** One row of KEA_COLUMNS: an active lease in pool 0, without client identifier and without names of its own in DNS. */
export function keaRow({ address, mac, name, expires, lifetimeSeconds, subnetId }: KeaLease): string {
  // Kea's own escape; our names are DNS labels, and yet
  const hostname = (name ?? '').replaceAll(',', '&#x2c');
  return `${formatIp4(address)},${formatMac(mac)},,${lifetimeSeconds},${expires},${subnetId},0,0,${hostname},0,,0`;
}
