import type { Mac } from '../addr/mac.ts';
import type { Plan } from '../plan/plan.ts';
import { machineOf } from '../service/lease-table.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { Clock } from '../system/clock.ts';
import { TokenBucket } from './token-bucket.ts';

interface Paced {
  readonly bucket: TokenBucket;
  users: number;
}

/** How fast each client may fetch, by `pace` of its host or of all. One bucket for each client, however many connections it has. */
export class Pacing {
  readonly #clock: Clock;
  readonly #byAddress = new Map<string, Paced>();
  #byMac: ReadonlyMap<Mac, number> = new Map();
  #byName: ReadonlyMap<string, number> = new Map();
  #forAll: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  apply({ hosts, http }: Plan): void {
    const paced = hosts.flatMap(({ name, macs, pace }) => (pace === undefined ? [] : [{ name, macs, pace }]));
    this.#byMac = new Map(paced.flatMap(({ macs, pace }) => macs.map((mac) => [mac, pace] as const)));
    this.#byName = new Map(paced.map(({ name, pace }) => [name, pace]));
    this.#forAll = http.pace;
  }

  /** What the client at `address` is held to, until `release` is called; undefined where it is held to nothing. */
  hold(address: string, lease: LeaseFact | undefined): { bucket: TokenBucket; release: () => void } | undefined {
    const rate = this.#rateOf(lease);
    if (rate === undefined) return undefined;
    const paced = this.#byAddress.get(address) ?? { bucket: new TokenBucket(rate, this.#clock), users: 0 };
    if (paced.bucket.rate !== rate) paced.bucket.rate = rate;
    paced.users++;
    this.#byAddress.set(address, paced);
    return { bucket: paced.bucket, release: () => this.#release(address, paced) };
  }

  #rateOf(lease: LeaseFact | undefined): number | undefined {
    const { host } = machineOf(lease);
    const own = lease && (this.#byMac.get(lease.mac) ?? (host === undefined ? undefined : this.#byName.get(host)));
    return own ?? this.#forAll;
  }

  #release(address: string, paced: Paced): void {
    paced.users--;
    if (paced.users === 0) this.#byAddress.delete(address);
  }
}
