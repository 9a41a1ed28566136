import type { Ip4 } from '../addr/ip4.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { EventSink } from '../service/service.ts';

/** Where lease changes are told. */
export interface LeaseNews extends EventSink {
  leaseBound(lease: LeaseFact): void;
  leaseEnded(address: Ip4): void;
}
