import type { Ip4 } from '../addr/ip4.ts';
import type { LeaseFact } from './letters.ts';

/**
 * Leases as columns: how they cross from thread to thread. Copying one array of numbers costs less than copying as many
 * objects by far, and a busy rack tells its leases to four threads.
 */
export interface LeaseColumns {
  readonly addresses: Uint32Array;
  readonly macs: readonly string[];
  /** '' for a lease without a name. */
  readonly names: readonly string[];
  /** Unix seconds; NaN for a lease without an end. */
  readonly expires: Float64Array;
  /** 1 where `host` is set. */
  readonly hosts: Uint8Array;
}

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
