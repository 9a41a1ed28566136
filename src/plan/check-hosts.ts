import { cidrContains, formatCidr } from '../addr/cidr.ts';
import type { Ip4 } from '../addr/ip4.ts';
import { formatMac, type Mac } from '../addr/mac.ts';
import { formatRange, rangeContains } from '../addr/range.ts';
import { checkChoice, type BootChoices } from './check-boot.ts';
import { checkOptions } from './check-options.ts';
import type { Reserved } from './check-ranges.ts';
import { reservedIn } from './check-subnets.ts';
import type { HostDraft } from './config-draft.ts';
import type { FaultBook } from './fault-book.ts';
import type { Path } from './fault.ts';
import { BOOT_LOCAL, type Host, type Subnet } from './plan.ts';

/** What hosts are held against. */
export interface HostGround {
  /** Undefined when it could not be read. */
  readonly rackName: string | undefined;
  readonly subnets: readonly Subnet[];
  /** False when a subnet could not be read: an address may then be inside that one. */
  readonly hasAllSubnets: boolean;
  readonly choices: BootChoices;
}

export interface CheckedHosts {
  readonly hosts: readonly Host[];
  /** A host is in the file whose machine can not be told from an unknown one. */
  readonly hasUnrecognisable: boolean;
}

/**
 * Holds each host against the ones before it, the subnets and the boot entries.
 *
 * A host with a fault is out of service, but its machine is not forgotten: were it taken for an unknown one, it would
 * boot `boot.default`, which may be an installer that wipes its disks. So whatever of it is sound stays (its MAC
 * addresses before all), under a name made of the MAC when its own is no good, and it boots its own disk.
 */
export function checkHosts(book: FaultBook, drafts: readonly HostDraft[], ground: HostGround): CheckedHosts {
  const register = new HostRegister(book, ground);
  const hosts: Host[] = [];
  let hasUnrecognisable = false;
  for (const [i, draft] of drafts.entries()) {
    const host = register.enter(draft, ['hosts', i]);
    if (host) hosts.push(host);
    if (draft.mac === undefined && (!host || book.lost(['hosts', i, 'mac']))) hasUnrecognisable = true;
  }
  return { hosts, hasUnrecognisable };
}

class HostRegister {
  readonly #book: FaultBook;
  readonly #ground: HostGround;
  readonly #reserved: ReadonlyMap<Subnet, readonly Reserved[]>;
  readonly #names = new Map<string, Path>();
  readonly #macs = new Map<Mac, Path>();
  readonly #addresses = new Map<Ip4, Path>();
  readonly #clientIds = new Map<string, Path>();
  readonly #circuitIds = new Map<string, Path>();

  constructor(book: FaultBook, ground: HostGround) {
    this.#book = book;
    this.#ground = ground;
    this.#reserved = new Map(ground.subnets.map((subnet) => [subnet, reservedIn(subnet)]));
  }

  /** The host as it is to be served; undefined when nothing is left to know it by. */
  enter(draft: HostDraft, path: Path): Host | undefined {
    const macs = this.#ownMacs(draft.mac ?? [], path);
    const name = this.#ownName(draft.name, path);
    const address = this.#ownAddress(draft.address, path);
    checkChoice(this.#book, [...path, 'boot'], draft.boot, this.#ground.choices);
    const options = checkOptions(this.#book, draft, path, 'host');
    const signs = this.#signs(draft, path);
    const loaders = draft.loaders && this.#ground.choices.loaders?.named([...path, 'loaders'], draft.loaders);
    const stand = macs[0] === undefined ? undefined : formatMac(macs[0], '-');
    const called = name ?? stand;
    if (called === undefined || (macs.length === 0 && Object.keys(signs).length === 0)) return undefined;
    if (name === undefined) this.#names.set(called, [...path, 'mac']);
    const boot = this.#book.touches(path) ? BOOT_LOCAL : this.#usableBoot(draft.boot);
    const own = {
      ...(address !== undefined && { address }),
      ...(draft.quirks && { quirks: draft.quirks }),
      ...(draft.pace !== undefined && { pace: draft.pace }),
    };
    const leaving = { ...(loaders && { loaders }), ...(draft.exit && { exit: draft.exit }) };
    return { name: called, macs, boot, ...signs, ...own, ...options, ...leaving };
  }

  /** What else than a MAC address it is known by; a host that has neither is a fault. */
  #signs(draft: HostDraft, path: Path): Pick<Host, 'clientIds' | 'circuitIds'> {
    const { 'client-id': clientIds, 'circuit-id': circuitIds } = draft;
    const places = ['mac', 'client-id', 'circuit-id'].map((key) => [...path, key]);
    if (!draft.mac && !clientIds && !circuitIds && !places.some((place) => this.#book.lost(place))) {
      this.#book.report([...path, 'mac'], 'a MAC address, or else a client-id or circuit-id to know it by');
    }
    const ownClientIds = clientIds && this.#ownSigns(this.#clientIds, clientIds, [...path, 'client-id']);
    const ownCircuitIds = circuitIds && this.#ownSigns(this.#circuitIds, circuitIds, [...path, 'circuit-id']);
    return {
      ...(ownClientIds && { clientIds: ownClientIds }),
      ...(ownCircuitIds && { circuitIds: ownCircuitIds }),
    };
  }

  #ownSigns(holders: Map<string, Path>, signs: readonly string[], here: Path): readonly string[] | undefined {
    const own = signs.filter((sign) => {
      // One text stands for two values; one fault is enough for both
      return this.#book.has(here) ? !holders.has(sign) : this.#isFirst(holders, sign, here, 'an identifier of its own');
    });
    return own.length > 0 ? own : undefined;
  }

  /** An entry that is out of service boots nobody; falling back to `boot.default` could install over a machine. */
  #usableBoot(boot: string | undefined): string {
    return boot !== undefined && this.#ground.choices.usable.has(boot) ? boot : BOOT_LOCAL;
  }

  #ownMacs(macs: readonly Mac[], path: Path): Mac[] {
    return macs.filter((mac, i) => {
      const here = this.#book.element([...path, 'mac'], i);
      return this.#isFirst(this.#macs, mac, here, 'a MAC address of its own');
    });
  }

  #ownName(name: string | undefined, path: Path): string | undefined {
    if (name === undefined) return undefined;
    const here = [...path, 'name'];
    if (name === this.#ground.rackName) {
      this.#book.report(here, 'a name other than that of this rack');
      return undefined;
    }
    return this.#isFirst(this.#names, name, here, 'a name of its own') ? name : undefined;
  }

  #ownAddress(address: Ip4 | undefined, path: Path): Ip4 | undefined {
    if (address === undefined) return undefined;
    const here = [...path, 'address'];
    if (!this.#isFirst(this.#addresses, address, here, 'an address of its own')) return undefined;
    const expected = this.#objection(address);
    if (expected === undefined) return address;
    this.#book.report(here, expected);
    return undefined;
  }

  /** What an address that can not be given to a host should have been. */
  #objection(address: Ip4): string | undefined {
    const { subnets, hasAllSubnets } = this.#ground;
    const subnet = subnets.find((candidate) => cidrContains(candidate.cidr, address));
    if (!subnet) return hasAllSubnets ? `an address inside ${listCidrs(subnets)}` : undefined;
    const taken = this.#reserved.get(subnet)?.find((reserved) => reserved.address === address);
    if (taken) return `an address other than ${taken.what}`;
    const { dynamic, pools = [] } = subnet;
    if (dynamic && rangeContains(dynamic, address))
      return `an address outside the dynamic range ${formatRange(dynamic)}`;
    const pool = pools.find(({ range }) => rangeContains(range, address));
    return pool && `an address outside the pool ${formatRange(pool.range)} of class ${pool.class}`;
  }

  /** Of two that claim the same, the earlier one in the file keeps it. */
  #isFirst<K>(holders: Map<K, Path>, claim: K, here: Path, expected: string): boolean {
    const holder = holders.get(claim);
    if (!holder) {
      holders.set(claim, here);
      return true;
    }
    const found = `${this.#book.document.describe(here)}, taken ${this.#book.whereIs(holder)}`;
    this.#book.report(here, expected, { found });
    return false;
  }
}

function listCidrs(subnets: readonly Subnet[]): string {
  return subnets.map((subnet) => formatCidr(subnet.cidr)).join(' or ');
}
