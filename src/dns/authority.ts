import { cidrContains } from '../addr/cidr.ts';
import type { Ip4 } from '../addr/ip4.ts';
import type { AclEntry, NotifyTarget, Plan, ZoneSettings } from '../plan/plan.ts';
import type { Counters } from '../service/letters.ts';
import type { ServiceContext } from '../service/service.ts';
import type { Inbound, Outbound } from '../system/datagram.ts';
import { keyText, nameKey, type NameKey } from '../wire/dns/name.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import type { OpenedZones } from '../zones/open-zone-store.ts';
import type { ZoneChange } from '../zones/zone-change.ts';
import { ZoneJournal, type OverlayChange } from '../zones/zone-journal.ts';
import { ZoneOverlay } from '../zones/zone-overlay.ts';
import type { NotifyDestination } from './notify/notify-target.ts';
import { Notifier } from './notify/notifier.ts';
import { PrimaryDesk } from './primary-desk.ts';
import { TransferDesk, type TransferZones } from './transfer/transfer-desk.ts';
import { TransferPump } from './transfer/transfer-pump.ts';
import { TsigKeys } from './tsig/tsig-keys.ts';
import type { DataCheck } from './update/apply-update.ts';
import { UpdateDesk, type UpdateZones } from './update/update-desk.ts';
import { ZonePublisher, type PublicationListener, type PublishedZone } from './zone-publisher.ts';
import type { ZoneFollower, ZonePublishing } from './zone-publishing.ts';
import type { Zone } from './zone.ts';

/** What the zones' other side is built from. */
export interface AuthorityContext extends ServiceContext {
  /** Opens the file that zones are kept in. */
  readonly openStore: () => OpenedZones;
  /** The zone of that very origin that is served now. */
  readonly zone: (origin: NameKey) => Zone | undefined;
  /** Builds zones of master files anew. */
  readonly readAgain: (origins: Iterable<NameKey>) => void;
  /** Sends a NOTIFY; what comes back is for `notifier.heard`. */
  readonly sendNotify: (bytes: Uint8Array, to: Outbound) => void;
  readonly checkData: DataCheck;
  /** Absent: nobody else answers from the zones. */
  readonly follower?: ZoneFollower;
}

/**
 * What makes this rack the primary of its zones: serials, journal, transfers, NOTIFY, updates, and the keys they are allowed
 * by.
 */
export class Authority implements TransferZones, UpdateZones, PublicationListener, ZonePublishing {
  readonly desk: PrimaryDesk;
  readonly #context: AuthorityContext;
  readonly #keys: TsigKeys;
  readonly #journal: ZoneJournal;
  readonly #publisher: ZonePublisher;
  readonly #notifier: Notifier;
  readonly #pump: TransferPump;
  readonly #overlays = new Map<NameKey, ZoneOverlay>();
  /** Zones that are served as their files are, as what updates did to them could not be read. */
  readonly #unread = new Set<NameKey>();
  /** Zones whose content is being read: an update now would not be in it. */
  readonly #reading = new Set<NameKey>();
  #plan: Plan;
  #settings = new Map<NameKey, ZoneSettings>();

  constructor(context: AuthorityContext, plan: Plan) {
    const { loop, clock, events, sendNotify, checkData } = context;
    this.#context = context;
    this.#plan = plan;
    this.#keys = new TsigKeys(events);
    this.#notifier = new Notifier({ loop, clock, events, keys: this.#keys, send: sendNotify });
    this.#journal = new ZoneJournal({
      loop,
      clock,
      open: context.openStore,
      content: (origin) => this.#publisher.content(origin),
      overlays: () => this.#overlays,
      trouble: (reason) => events.emit({ kind: 'dns.store-failed', reason }),
      works: (overtaken) => this.#storeWorks(overtaken),
      replaced: (replacement) => events.emit({ kind: 'dns.store-replaced', ...replacement }),
    });
    this.#publisher = new ZonePublisher({ loop, clock, journal: this.#journal, listener: this });
    this.#pump = new TransferPump(loop, clock);
    this.desk = new PrimaryDesk({
      clock,
      keys: this.#keys,
      transfers: new TransferDesk(this, this.#pump, events),
      updates: new UpdateDesk({ zones: this, events, clock, check: checkData }),
    });
    this.apply(plan);
  }

  /** Who may what, from now on. Returns the zones that take updates now and did not before: they must be read again. */
  apply(plan: Plan): NameKey[] {
    const before = this.#settings;
    this.#plan = plan;
    this.#settings = new Map(plan.dns.zones.map((zone) => [nameKey(zone.name), zone]));
    this.#keys.apply(plan.dns.keys);
    this.#notifier.keep((zone, to) => this.#destinations(zone).some((wanted) => isSame(wanted, to)));
    for (const origin of this.#settings.keys()) if (!before.has(origin)) this.#announce(origin);
    const updatable = [...this.#settings].filter(([, { update }]) => update.length > 0).map(([origin]) => origin);
    return updatable.filter((origin) => before.has(origin) && !this.#overlays.has(origin));
  }

  replace(zone: Zone): void {
    if (this.#publisher.has(zone)) return;
    this.#reading.delete(zone.origin);
    if (zone.kind === 'rack') this.#forgetOverlay(zone.origin);
    this.#context.follower?.served(zone.origin);
    this.#publisher.replace(zone);
    const overruled = this.#overlays.get(zone.origin)?.overruled.length ?? 0;
    if (overruled > 0)
      this.#context.events.emit({ kind: 'zone.overruled', zone: keyText(zone.origin), records: overruled });
  }

  publish(zone: Zone): void {
    this.#publisher.publish(zone);
  }

  withdraw(zone: Zone): void {
    if (!this.#publisher.has(zone)) return;
    this.#reading.delete(zone.origin);
    this.#forgetOverlay(zone.origin);
    this.#publisher.withdraw(zone);
    this.#context.follower?.withdrawn(zone.origin);
  }

  leasesCome(): void {
    this.#publisher.leasesCome();
  }

  leasesKnown(): void {
    this.#publisher.leasesKnown();
  }

  /** A zone whose settings are not known yet may take updates. What is left of a time when it did counts in any case. */
  withUpdates(origin: NameKey, file: Iterable<ResourceRecord>): Iterable<ResourceRecord> {
    const settings = this.#settings.get(origin);
    const overlay = this.#overlays.get(origin) ?? this.#readOverlay(origin);
    if (!overlay || (overlay.size === 0 && settings?.update.length === 0)) return file;
    this.#overlays.set(origin, overlay);
    this.#reading.add(origin);
    return overlay.over(file);
  }

  published(origin: NameKey): PublishedZone | undefined {
    return this.#publisher.get(origin);
  }

  changed(zone: NameKey, soa: ResourceRecord, change?: ZoneChange): void {
    // First: who asks for a name at once may ask another thread
    this.#context.follower?.changed(zone, change);
    this.#notifier.changed(zone, soa, this.#destinations(zone));
  }

  heard(datagram: Inbound): void {
    this.#notifier.heard(datagram);
  }

  has(origin: NameKey): boolean {
    return this.zone(origin) !== undefined;
  }

  zone(origin: NameKey): Zone | undefined {
    return this.#context.zone(origin);
  }

  transferAcl(origin: NameKey): readonly AclEntry[] {
    return this.#rulesOf(origin)?.transfer ?? [];
  }

  /** A zone of a file may be here before the Plan that names it, and a moment after: it is nobody's then. */
  #rulesOf(origin: NameKey): Pick<ZoneSettings, 'transfer' | 'notify'> | undefined {
    return this.#publisher.kindOf(origin) === 'rack' ? this.#plan.dns : this.#settings.get(origin);
  }

  /** The rack's own zones have names from the Plan and the leases alone. */
  updateAcl(origin: NameKey): readonly AclEntry[] {
    return this.#settings.get(origin)?.update ?? [];
  }

  overlay(origin: NameKey): ZoneOverlay | undefined {
    // While it settles its serial is not known: an SOA that came now would be taken for the file's
    const isKnown = !this.#reading.has(origin) && this.published(origin) !== undefined;
    return isKnown ? this.#overlays.get(origin) : undefined;
  }

  updatesOf(origin: NameKey): ZoneOverlay | undefined {
    return this.#overlays.get(origin);
  }

  /** Forgets what updates did to a zone, which must then be read again. Throws when that is not on disk when this returns. */
  forgetUpdates(origin: NameKey): void {
    this.#journal.clearOverlay(origin);
    this.#overlays.delete(origin);
  }

  commit(origin: NameKey, change: OverlayChange): void {
    this.#journal.commitOverlay(origin, change);
  }

  counters(): Counters {
    return { ...this.desk.counters(), ...this.#notifier.counters() };
  }

  close(): void {
    this.#publisher.close();
    this.#notifier.close();
    this.#pump.close();
    this.#journal.close();
  }

  #readOverlay(origin: NameKey): ZoneOverlay | undefined {
    const stored = this.#journal.overlay(origin);
    if (stored) this.#unread.delete(origin);
    else this.#unread.add(origin);
    return stored && new ZoneOverlay(stored);
  }

  #forgetOverlay(origin: NameKey): void {
    this.#overlays.delete(origin);
    this.#unread.delete(origin);
  }

  #storeWorks(overtaken: readonly NameKey[]): void {
    this.#context.events.emit({ kind: 'dns.store-works' });
    for (const origin of overtaken) this.#publisher.startAnew(origin);
    // Some of them may not be readable again
    this.#context.readAgain([...this.#unread]);
  }

  /** What was published of a zone ahead of its Plan was told to nobody. */
  #announce(origin: NameKey): void {
    const published = this.#publisher.get(origin);
    if (published) this.changed(origin, published.soa);
  }

  #destinations(origin: NameKey): NotifyDestination[] {
    const targets = this.#rulesOf(origin)?.notify ?? [];
    return targets.flatMap((target) => this.#destination(target));
  }

  /** From our address in the subnet where the secondary is, else from the first at which we answer. */
  #destination({ address, port, key }: NotifyTarget): NotifyDestination[] {
    const ours = this.#plan.subnets.filter(({ management }) => management === 'dhcp+dns');
    const near = ours.find(({ cidr, rackAddress }) => rackAddress !== undefined && cidrContains(cidr, address));
    const source = near?.rackAddress ?? ours.find(({ rackAddress }) => rackAddress !== undefined)?.rackAddress;
    if (source === undefined || isOurs(address, ours)) return [];
    return [{ address, port, source, ...(key !== undefined && { key }) }];
  }
}

function isOurs(address: Ip4, subnets: readonly { readonly rackAddress?: Ip4 }[]): boolean {
  return subnets.some(({ rackAddress }) => rackAddress === address);
}

function isSame(a: NotifyDestination, b: NotifyDestination): boolean {
  return a.address === b.address && a.port === b.port && a.source === b.source && a.key === b.key;
}
