import type { ZonePublishing } from '../../src/dns/zone-publishing.ts';
import type { Zone } from '../../src/dns/zone.ts';
import type { NameKey } from '../../src/wire/dns/name.ts';
import type { ResourceRecord } from '../../src/wire/dns/resource-record.ts';

/** Serials that count from one, and nobody who is to know. */
export class PlainPublisher implements ZonePublishing {
  #last = 0;

  replace(zone: Zone): void {
    this.publish(zone);
  }

  publish(zone: Zone): void {
    zone.publish(() => ++this.#last);
  }

  withdraw(_zone: Zone): void {
    // Nobody is to know
  }

  leasesCome(): void {
    // Nobody waits
  }

  leasesKnown(): void {
    // Nobody waits
  }

  withUpdates(_origin: NameKey, file: Iterable<ResourceRecord>): Iterable<ResourceRecord> {
    return file;
  }
}
