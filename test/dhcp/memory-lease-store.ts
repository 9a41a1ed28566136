import type { Ip4 } from '../../src/addr/ip4.ts';
import type { LeaseStore } from '../../src/leases/lease-store.ts';
import type { Lease } from '../../src/leases/lease.ts';

/** A disk that outlives the service and can be made to fail. It keeps what SQLite keeps: `released` is not among it. */
export class MemoryLeaseStore implements LeaseStore {
  readonly rows = new Map<Ip4, Lease>();
  /** One entry per transaction: how many leases it wrote. */
  readonly commits: number[] = [];
  lastWrite: number | undefined;
  failing = false;
  closed = false;
  onWrite: () => void = () => {};

  load(): Lease[] {
    return [...this.rows.values()];
  }

  write(leases: Iterable<Lease>): void {
    this.onWrite();
    if (this.failing) throw new Error('disk full');
    const written = Array.from(leases, asOnDisk);
    for (const lease of written) this.rows.set(lease.address, lease);
    this.commits.push(written.length);
  }

  close(): void {
    this.closed = true;
  }
}

function asOnDisk({ address, client, mac, expires, kept, name }: Lease): Lease {
  return { address, client, mac, expires, kept, ...(name !== undefined && { name }) };
}
