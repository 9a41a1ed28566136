import type { NameDraft } from './config-draft.ts';
import type { FaultBook } from './fault-book.ts';
import type { Path } from './fault.ts';
import type { Host, Subnet, WrittenName } from './plan.ts';

/** Domains that one sentence names. */
const MOST_LISTED = 5;

/** What names are held against. */
export interface NameGround {
  readonly rackName: string;
  readonly subnets: readonly Subnet[];
  readonly hosts: readonly Host[];
  /** Those of `dns.domains` that are sound. */
  readonly domains: readonly string[];
}

/** A subnet whose names the rack answers for. */
export function hasNames(subnet: Subnet): subnet is Subnet & { readonly domain: string } {
  return subnet.management === 'dhcp+dns' && subnet.domain !== undefined;
}

/** Holds each name against the ones before it, the domains, the rack and the hosts. One with a fault is out of service. */
export function checkNames(book: FaultBook, drafts: readonly NameDraft[], ground: NameGround): WrittenName[] {
  const register = new NameRegister(book, ground);
  return drafts.flatMap((draft, i) => register.enter(draft, ['dns', 'names', i]));
}

class NameRegister {
  readonly #book: FaultBook;
  readonly #rackName: string;
  /** A host has its name in all of these, wherever its machine turns up. */
  readonly #ofSubnets: ReadonlySet<string>;
  readonly #domains: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;
  readonly #names = new Map<string, Path>();

  constructor(book: FaultBook, { rackName, subnets, hosts, domains }: NameGround) {
    this.#book = book;
    this.#rackName = rackName;
    this.#ofSubnets = new Set(subnets.filter(hasNames).map(({ domain }) => domain));
    this.#domains = new Set([...this.#ofSubnets, ...domains]);
    this.#hosts = new Set(hosts.map(({ name }) => name));
  }

  enter(draft: NameDraft, path: Path): WrittenName[] {
    const { name, addresses = [], alias, ttl } = draft;
    if (name !== undefined) this.#checkName(name, [...path, 'name']);
    this.#checkContent(draft, path);
    if (name === undefined || ttl === undefined || this.#book.touches(path) || !this.#lies(name)) return [];
    return [
      {
        name,
        ttlSeconds: ttl,
        addresses: addresses.filter((address) => typeof address === 'number'),
        addresses6: addresses.filter((address) => typeof address === 'string'),
        ...(alias !== undefined && { alias }),
      },
    ];
  }

  #checkName(name: string, here: Path): void {
    const holder = this.#names.get(name);
    if (holder) {
      const found = `${this.#book.document.describe(here)}, taken ${this.#book.whereIs(holder)}`;
      return this.#book.report(here, 'a name of its own', { found });
    }
    this.#names.set(name, here);
    const expected = this.#objection(name);
    if (expected !== undefined) this.#book.report(here, expected);
  }

  /** What a name that can not be written should have been. */
  #objection(name: string): string | undefined {
    const [label, domain] = splitName(name);
    if (label === this.#rackName && this.#domains.has(domain)) return 'a name other than that of this rack';
    if (this.#hosts.has(label) && this.#ofSubnets.has(domain)) {
      return 'a name other than that of a host, whose address its own entry tells';
    }
    if (this.#lies(name)) return undefined;
    // One that can't be read may be the one that is meant
    const isKnown = !this.#book.touches(['subnets']) && !this.#book.touches(['dns', 'domains']);
    return isKnown ? `a name in ${this.#listDomains()}` : undefined;
  }

  /** Whether it is one of the domains or in one. */
  #lies(name: string): boolean {
    for (let rest = name; rest !== ''; rest = splitName(rest)[1]) if (this.#domains.has(rest)) return true;
    return false;
  }

  #listDomains(): string {
    const all = [...this.#domains];
    if (all.length === 0) return 'the domain of a subnet with dhcp+dns or in one of dns.domains, and there are none';
    const listed = all.slice(0, MOST_LISTED).join(' or ');
    return all.length > MOST_LISTED ? `${listed} or ${all.length - MOST_LISTED} other domains` : listed;
  }

  #checkContent({ name, addresses, alias }: NameDraft, path: Path): void {
    const hasAddresses = this.#book.document.has([...path, 'addresses']);
    const hasAlias = this.#book.document.has([...path, 'alias']);
    if (hasAddresses && hasAlias) this.#book.report([...path, 'alias'], 'an alias or addresses, not both');
    else if (alias !== undefined) this.#checkAlias(name, [...path, 'alias'], alias);
    else if (!hasAddresses && !hasAlias && !this.#book.lost(path))
      this.#book.report([...path, 'addresses'], 'addresses, or an alias');
    for (const [i, address] of addresses?.entries() ?? []) {
      if (addresses?.indexOf(address) !== i) this.#book.report([...path, 'addresses', i], 'each address once');
    }
  }

  #checkAlias(name: string | undefined, here: Path, alias: string): void {
    if (alias === name) this.#book.report(here, 'another name than itself');
    // RFC 1034 §3.6.2: nothing stands beside an alias, and a domain has an SOA
    else if (name !== undefined && this.#domains.has(name))
      this.#book.report(here, 'addresses instead, as the name of a domain is no alias');
  }
}

/** The first label, and the rest behind its dot. */
function splitName(name: string): readonly [label: string, rest: string] {
  const dot = name.indexOf('.');
  return dot < 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot + 1)];
}
