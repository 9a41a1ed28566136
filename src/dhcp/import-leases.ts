import { cidrContains } from '../addr/cidr.ts';
import { formatIp4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import type { Lease } from '../leases/lease.ts';
import type { LeaseAnswer, LeaseWish } from '../service/letters.ts';
import type { Addresses, ServedSubnet } from './addresses.ts';
import { hostLabel, type Client } from './client.ts';

export interface Imported {
  readonly taken: readonly Lease[];
  readonly refused: LeaseAnswer['refused'];
}

/**
 * Takes over leases that another server gave, as far as our own ranges, hosts and leases allow. Each keeps its end: that
 * is what its client was told. `now`: Unix seconds. On disk with the next commit.
 */
export function importLeases(addresses: Addresses, wishes: readonly LeaseWish[], now: number): Imported {
  const taken: Lease[] = [];
  const refused: { line: number; reason: string }[] = [];
  const held = new Map<Mac, Lease[]>();
  for (const lease of addresses.held()) noteHeld(held, lease);
  // Of two leases of one machine on one network the one that ends later is its own
  for (const wish of wishes.toSorted((a, b) => b.expires - a.expires)) {
    const result = importLease(addresses, wish, held.get(wish.mac) ?? [], now);
    if (typeof result === 'string') refused.push({ line: wish.line, reason: `${formatIp4(wish.address)}: ${result}` });
    else {
      taken.push(result);
      noteHeld(held, result);
    }
  }
  return { taken, refused };
}

function noteHeld(held: Map<Mac, Lease[]>, lease: Lease): void {
  held.set(lease.mac, [...(held.get(lease.mac) ?? []), lease]);
}

/** Returns the lease, or why it is not taken. */
function importLease(addresses: Addresses, wish: LeaseWish, own: readonly Lease[], now: number): Lease | string {
  const { address, expires } = wish;
  if (expires <= now) return `it ended at ${new Date(expires * 1000).toISOString()}`;
  const served = addresses.served.find(({ subnet }) => cidrContains(subnet.cidr, address));
  if (!served) return 'it is in none of the subnets';
  const client = clientOf(wish, served);
  const refusal = addresses.refusal(client, served, address);
  if (refusal !== undefined) return refusal;
  const present = own.find((lease) => cidrContains(served.subnet.cidr, lease.address));
  if (present && present.address !== address) return `${formatMac(wish.mac)} has ${formatIp4(present.address)} here`;
  return present && present.expires >= expires ? present : addresses.bind(client, served, address, expires);
}

/** Of which classes it is shows when it next asks: until then it may have an address of any. */
function clientOf({ mac, name: called }: LeaseWish, { pools }: ServedSubnet): Client {
  const name = hostLabel(called);
  return {
    key: mac,
    mac,
    boot: { mac, userClasses: [] },
    ...(name === undefined ? {} : { name }),
    ...(pools && { classes: new Set(pools.map(({ name: of }) => of)) }),
  };
}
