import type { Ip4 } from '../addr/ip4.ts';
import type { LeaseColumns, LeaseFact } from './letters.ts';

export function toColumns(leases: readonly LeaseFact[]): LeaseColumns {
  return {
    addresses: Uint32Array.from(leases, ({ address }) => address),
    macs: leases.map(({ mac }) => mac),
    names: leases.map(({ name }) => name ?? ''),
    expires: Float64Array.from(leases, ({ expires }) => expires ?? Number.NaN),
    hosts: Uint8Array.from(leases, ({ host }) => (host ? 1 : 0)),
  };
}

export function fromColumns({ addresses, macs, names, expires, hosts }: LeaseColumns): LeaseFact[] {
  return macs.map((mac, row) => {
    const [name, end] = [names[row] ?? '', expires[row] ?? Number.NaN];
    return {
      address: (addresses[row] ?? 0) as Ip4,
      mac,
      ...(name !== '' && { name }),
      ...(!Number.isNaN(end) && { expires: end }),
      ...(hosts[row] === 1 && { host: true }),
    };
  });
}
