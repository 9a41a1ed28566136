import { writeFileSync } from 'node:fs';

import { formatIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { formatMac, type Mac } from '../../src/addr/mac.ts';
import { SqliteLeaseStore } from '../../src/leases/lease-store.ts';

/** Leases that other machines hold when a server starts: the first `count` addresses from `first` on. */
export interface Fill {
  readonly first: Ip4;
  readonly count: number;
}

interface HeldLease {
  readonly address: Ip4;
  readonly mac: Mac;
  /** Unix seconds. */
  readonly expires: number;
}

const DAY_SECONDS = 86_400;
/** Far from the MACs of perfdhcp's clients. */
const FIRST_MAC = 0x06_00_00_00_00_00;

function leasesOf({ first, count }: Fill): HeldLease[] {
  const expires = Math.floor(Date.now() / 1000) + DAY_SECONDS;
  return Array.from({ length: count }, (_, i) => ({
    address: (first + i) as Ip4,
    mac: (FIRST_MAC + i) as Mac,
    expires,
  }));
}

export function writeRackbootLeases(file: string, fill: Fill): void {
  const store = new SqliteLeaseStore(file);
  store.write(leasesOf(fill).map((lease) => ({ ...lease, client: formatMac(lease.mac), kept: false })));
  store.close();
}

/** Kea 2.2's columns; the state is 0, active. */
export function writeKeaLeases(file: string, fill: Fill): void {
  const header =
    'address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context';
  const rows = leasesOf(fill).map(
    ({ address, mac, expires }) => `${formatIp4(address)},${formatMac(mac)},,${DAY_SECONDS},${expires},1,0,0,,0,`,
  );
  writeFileSync(file, `${[header, ...rows].join('\n')}\n`);
}

export function writeDnsmasqLeases(file: string, fill: Fill): void {
  const rows = leasesOf(fill).map(
    ({ address, mac, expires }) => `${expires} ${formatMac(mac)} ${formatIp4(address)} * *\n`,
  );
  writeFileSync(file, rows.join(''));
}

/** Times are UTC, the digit before them the day of the week, which dhcpd does not read. */
export function writeDhcpdLeases(file: string, fill: Fill): void {
  const blocks = leasesOf(fill).map(({ address, mac, expires }) => {
    const [starts, ends] = [expires - DAY_SECONDS, expires].map(dhcpdTime);
    return `lease ${formatIp4(address)} {
  starts ${starts}; ends ${ends}; binding state active;
  hardware ethernet ${formatMac(mac)};
}
`;
  });
  writeFileSync(file, blocks.join(''));
}

function dhcpdTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return `${date.getUTCDay()} ${date.toISOString().slice(0, 19).replace('T', ' ').replaceAll('-', '/')}`;
}
