import type { Ip4 } from '../addr/ip4.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { EventSink } from '../service/service.ts';
import type { EventBody } from '../timeline/event.ts';

/** Where lease changes are told. */
export interface LeaseNews extends EventSink {
  /** Whether an event of this kind would be told: there is no need to write one that is not. */
  wants(kind: EventBody['kind']): boolean;
  leaseBound(lease: LeaseFact): void;
  leaseEnded(address: Ip4): void;
}
