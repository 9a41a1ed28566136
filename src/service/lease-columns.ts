import type { Ip4 } from '../addr/ip4.ts';
import type { Mac } from '../addr/mac.ts';
import type { LeaseColumns } from './lease-columns-shape.ts';
import type { LeaseFact } from './letters.ts';

const HOST = 1;
const ELSEWHERE = 2;

export function toColumns(leases: readonly LeaseFact[]): LeaseColumns {
  return {
    addresses: Uint32Array.from(leases, ({ address }) => address),
    macs: Float64Array.from(leases, ({ mac }) => mac),
    names: leases.map(({ name }) => name ?? ''),
    expires: Float64Array.from(leases, ({ expires }) => expires ?? Number.NaN),
    flags: Uint8Array.from(leases, ({ host, elsewhere }) => (host ? HOST : 0) | (elsewhere ? ELSEWHERE : 0)),
  };
}

/** By assignments and not by spreads: four threads do this for each lease. */
export function fromColumns({ addresses, macs, names, expires, flags }: LeaseColumns): LeaseFact[] {
  return Array.from(macs, (mac, row) => {
    const [name, end, flag] = [names[row] ?? '', expires[row] ?? Number.NaN, flags[row] ?? 0];
    const fact: { -readonly [key in keyof LeaseFact]: LeaseFact[key] } = {
      address: (addresses[row] ?? 0) as Ip4,
      mac: mac as Mac,
    };
    if (name !== '') fact.name = name;
    if (!Number.isNaN(end)) fact.expires = end;
    if ((flag & HOST) !== 0) fact.host = true;
    if ((flag & ELSEWHERE) !== 0) fact.elsewhere = true;
    return fact;
  });
}
