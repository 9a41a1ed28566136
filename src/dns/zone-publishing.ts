import type { NameKey } from '../wire/dns/name.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import type { ZoneChange } from '../zones/zone-change.ts';
import type { Zone } from './zone.ts';

/** What becomes of zones beyond answering from them: serials, and who is to know. */
export interface ZonePublishing {
  /** `zone` is served from now on, in the place of the one of its origin, if there was one. */
  replace(zone: Zone): void;
  /** Something may have changed in a zone that is served. */
  publish(zone: Zone): void;
  /** That very zone is served no more; another one that has taken its place already stays. */
  withdraw(zone: Zone): void;
  /** The leases of before this start are on their way into the zones: what these have to say is not known meanwhile. */
  leasesCome(): void;
  /** They are there. */
  leasesKnown(): void;
  /** The records of a zone whose file says these: with what updates did to them. `replace` follows, or nothing. */
  withUpdates(origin: NameKey, file: Iterable<ResourceRecord>): Iterable<ResourceRecord>;
}

/** Hears what zones are served, and what is published of them. */
export interface ZoneFollower {
  /** A zone is served, in the place of the one of its origin, if there was one. Nothing of it may be published yet. */
  served(origin: NameKey): void;
  /** What is published of it is another; without a `change`, it is published for the first time, or as before. */
  changed(origin: NameKey, change?: ZoneChange): void;
  /** Nothing is served under that origin any more. */
  withdrawn(origin: NameKey): void;
}
