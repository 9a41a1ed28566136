import { toIp4, type Ip4 } from '../../src/addr/ip4.ts';
import type { Mac } from '../../src/addr/mac.ts';
import type { LeaseStore } from '../../src/leases/lease-store.ts';
import type { Lease } from '../../src/leases/lease.ts';

/** 10.0.0.0 plus `number`. */
export function address(number: number): Ip4 {
  return toIp4(0x0a000000 + number);
}

/** A lease of client `client` at the `number`th address. */
export function lease(number: number, client: string, expires: number, more: Partial<Lease> = {}): Lease {
  return { address: address(number), client, mac: (0x525400000000 + number) as Mac, expires, kept: false, ...more };
}

/** A store in memory, that fails when told to; `written` is what reached it, batch by batch. */
export class MemoryStore implements LeaseStore {
  readonly written: Lease[][] = [];
  failing = false;
  closed = false;
  readonly #leases: readonly Lease[];

  constructor(leases: readonly Lease[] = []) {
    this.#leases = leases;
  }

  load(): Lease[] {
    return [...this.#leases];
  }

  write(leases: Iterable<Lease>): void {
    const batch = [...leases];
    if (this.failing) throw new Error('disk full');
    this.written.push(batch);
  }

  close(): void {
    this.closed = true;
  }
}
