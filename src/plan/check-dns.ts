import { posix } from 'node:path';

import { cidrsOverlap, type Cidr } from '../addr/cidr.ts';
import { parseIp4 } from '../addr/ip4.ts';
import { checkNames, hasNames } from './check-names.ts';
import type { DnsDraft, TsigKeyDraft, ZoneDraft } from './config-draft.ts';
import type { FaultBook } from './fault-book.ts';
import type { Path } from './fault.ts';
import { withSuggestion } from './nearest-name.ts';
import type {
  AclEntry,
  CacheSettings,
  DnsSettings,
  ForwardRoute,
  Host,
  NotifyTarget,
  RateLimit,
  Subnet,
  TsigKeySettings,
  Upstream,
  ZoneSettings,
} from './plan.ts';
import type { Surroundings } from './surroundings.ts';

const DNS_PORT = 53;

/** What the DNS section is held against. */
export interface DnsGround {
  readonly rackName: string;
  readonly subnets: readonly Subnet[];
  readonly hosts: readonly Host[];
  /** Where relative paths begin. */
  readonly directory: string;
  readonly surroundings: Pick<Surroundings, 'fileExists'>;
}

/** A name whose zone is the rack's own already, and why. */
interface OwnDomain {
  readonly what: string;
  /** Whether it has the name, or holds it. */
  readonly holds: (name: string) => boolean;
}

/** The DNS section; undefined when a part of it without which nothing can be said has a fault. */
export function checkDns(book: FaultBook, draft: DnsDraft, ground: DnsGround): DnsSettings | undefined {
  const keys = new KeyRing(book, draft.keys, ground);
  const domains = checkDomains(book, draft.domains, ground.subnets);
  const own = ownDomains(ground.subnets, domains);
  const transfer = keys.acl(draft.transfer, ['dns', 'transfer']);
  const notify = notifyOf(keys, draft, ['dns'], transfer);
  const zones = checkZones(book, draft.zones, { ground, keys, own, inherited: { transfer, notify } });
  const names = checkNames(book, draft.names, { ...ground, domains });
  const routes = checkRoutes(book, draft, own, ground.subnets);
  const cache = checkCache(book, draft);
  const forward = checkUpstreams(book, draft.forward ?? [], ['dns', 'forward'], ground.subnets);
  const { allow = [], threads, nsid = ground.rackName, 'query-log': queryLog } = draft;
  if (!cache || threads === undefined || queryLog === undefined) return undefined;
  const rateLimit = rateLimitOf(draft);
  const answers = { forward, routes, allow, cache, ...rateLimit, threads, nsid, queryLog };
  return { zones, domains, names, keys: keys.all, transfer, notify, ...answers };
}

/** A subnet may have one of them as its own: names are written there all the same. */
function checkDomains(
  book: FaultBook,
  drafts: readonly (string | undefined)[],
  subnets: readonly Subnet[],
): readonly string[] {
  const reverse = subnets.filter(hasNames).map(({ cidr }) => reverseDomain(cidr));
  const places = new Map<string, string>();
  return drafts.flatMap((domain, i) => {
    const path = ['dns', 'domains', i];
    checkFirst(book, places, domain, path);
    const holder = domain === undefined ? undefined : reverse.find(({ holds }) => holds(domain));
    if (holder) book.report(path, `a domain outside ${holder.what}, which this rack answers for itself`);
    return domain === undefined || book.touches(path) ? [] : [domain];
  });
}

interface ZoneGround {
  readonly ground: DnsGround;
  readonly keys: KeyRing;
  readonly own: readonly OwnDomain[];
  readonly inherited: Pick<ZoneSettings, 'transfer' | 'notify'>;
}

/** A zone with a fault is out of service, and the others are not. */
function checkZones(book: FaultBook, drafts: readonly ZoneDraft[], ground: ZoneGround): ZoneSettings[] {
  const places = new Map<string, string>();
  return drafts.flatMap((draft, i) => checkZone(book, draft, ['dns', 'zones', i], { ...ground, places }));
}

function checkZone(
  book: FaultBook,
  draft: ZoneDraft,
  path: Path,
  { ground, keys, own, inherited, places }: ZoneGround & { readonly places: Map<string, string> },
): ZoneSettings[] {
  const { name, file } = draft;
  checkFirst(book, places, name, [...path, 'name']);
  const holder = name === undefined ? undefined : own.find(({ holds }) => holds(name));
  if (holder)
    book.report([...path, 'name'], `a name that is not ${holder.what}, as that is made from hosts, names and leases`);
  const isWritten = book.document.has([...path, 'file']) || book.document.has([...path, 'update']);
  if (!isWritten && !book.lost(path))
    book.report([...path, 'file'], 'a master file, or `update` to live of updates alone');
  const update = keys.acl(draft.update, [...path, 'update']);
  const ownTransfer = draft.transfer && keys.acl(draft.transfer, [...path, 'transfer']);
  const transfer = ownTransfer ?? inherited.transfer;
  const notify = draft.notify || ownTransfer ? notifyOf(keys, draft, path, transfer) : inherited.notify;
  if (name === undefined || book.touches(path)) return [];
  return [
    { name, ...(file !== undefined && { file: posix.resolve(ground.directory, file) }), update, transfer, notify },
  ];
}

/** Of two with one name the earlier one in the file has it. */
function checkFirst(book: FaultBook, places: Map<string, string>, name: string | undefined, here: Path): void {
  if (name === undefined) return;
  const taken = places.get(name);
  if (taken === undefined) places.set(name, book.whereIs(here));
  else book.report(here, 'a name of its own', { found: `${book.document.describe(here)}, taken ${taken}` });
}

/** The keys that can be used, and what may be said of them. */
class KeyRing {
  readonly all: readonly TsigKeySettings[];
  readonly #book: FaultBook;
  /** All that are written, those with a fault too. */
  readonly #named: ReadonlySet<string>;
  readonly #usable: ReadonlySet<string>;

  constructor(book: FaultBook, drafts: readonly TsigKeyDraft[], ground: DnsGround) {
    this.#book = book;
    const places = new Map<string, string>();
    this.all = drafts.flatMap((draft, i) => checkKey(book, draft, ['dns', 'keys', i], { ...ground, places }));
    this.#named = new Set(drafts.flatMap(({ name }) => name ?? []));
    this.#usable = new Set(this.all.map(({ name }) => name));
  }

  /** The entries that can be held to: one whose key is out of service lets nobody in, not everybody. */
  acl(entries: readonly AclEntry[] | undefined, path: Path): AclEntry[] {
    return this.#withKeys(entries, path);
  }

  targets(entries: readonly NotifyTarget[], path: Path): NotifyTarget[] {
    return this.#withKeys(entries, path);
  }

  #withKeys<T extends { readonly key?: string }>(entries: readonly T[] | undefined, path: Path): T[] {
    return (entries ?? []).filter(({ key }, i) => key === undefined || this.#has(key, [...path, i, 'key']));
  }

  #has(name: string, path: Path): boolean {
    if (this.#named.has(name)) return this.#usable.has(name);
    // One that can't be read may be the one that is meant
    if (this.#book.touches(['dns', 'keys'])) return false;
    const expected = this.#named.size === 0 ? 'the name of a key, and there are none in dns.keys' : 'the name of a key';
    this.#book.report(path, expected, { found: withSuggestion(name, this.#named) });
    return false;
  }
}

function checkKey(
  book: FaultBook,
  draft: TsigKeyDraft,
  path: Path,
  { directory, surroundings, places }: DnsGround & { readonly places: Map<string, string> },
): TsigKeySettings[] {
  const { name, algorithm, 'secret-file': secret } = draft;
  checkFirst(book, places, name, [...path, 'name']);
  const secretFile = secret === undefined ? undefined : posix.resolve(directory, secret);
  if (secretFile !== undefined && !surroundings.fileExists(secretFile)) {
    book.report([...path, 'secret-file'], `a readable file ${secretFile}`, { found: 'none' });
  }
  if (name === undefined || algorithm === undefined || secretFile === undefined || book.touches(path)) return [];
  return [{ name, algorithm, secretFile }];
}

/** Where nobody says who is told of changes, it is each single address that may fetch them. */
function notifyOf(
  keys: KeyRing,
  { notify }: Pick<DnsDraft, 'notify'>,
  path: Path,
  transfer: readonly AclEntry[],
): NotifyTarget[] {
  if (notify) return keys.targets(notify, [...path, 'notify']);
  return transfer.flatMap(({ cidr, key }) => {
    if (cidr?.prefix !== 32) return [];
    return [{ address: cidr.network, port: 53, ...(key !== undefined && { key }) }];
  });
}

/** A route into a zone of ours would never be taken. */
/** This rack itself would be asked for what it asks for. */
function checkUpstreams(
  book: FaultBook,
  upstreams: readonly Upstream[],
  path: Path,
  subnets: readonly Subnet[],
): readonly Upstream[] {
  const ours = new Set(subnets.map(({ rackAddress }) => rackAddress));
  for (const [i, { address, port, tls, ca }] of upstreams.entries()) {
    if (port === DNS_PORT && ours.has(address)) {
      book.report([...path, i], 'another resolver than this rack, which would ask itself for ever');
    }
    if (ca !== undefined && tls === undefined) book.report([...path, i, 'ca'], 'tls beside it: the name to vouch for');
  }
  return upstreams;
}

function checkRoutes(
  book: FaultBook,
  { routes, zones }: DnsDraft,
  own: readonly OwnDomain[],
  subnets: readonly Subnet[],
): readonly ForwardRoute[] {
  const places = new Map<string, string>();
  const fileZones = zones.flatMap(({ name }) => (name === undefined ? [] : [zoneDomain(name, `the zone ${name}`)]));
  const ours = [...own, ...fileZones];
  for (const [i, { domain }] of (routes ?? []).entries()) {
    const path = ['dns', 'routes', i, 'domain'];
    const taken = places.get(domain);
    const holder = ours.find(({ holds }) => holds(domain));
    if (taken === undefined) places.set(domain, book.whereIs(path));
    else book.report(path, 'a domain of its own', { found: `${book.document.describe(path)}, taken ${taken}` });
    if (holder) book.report(path, `a domain outside ${holder.what}, which this rack answers for itself`);
  }
  return (routes ?? []).map(({ domain, forward }, i) => ({
    domain,
    forward: checkUpstreams(book, forward, ['dns', 'routes', i, 'forward'], subnets),
  }));
}

function checkCache(book: FaultBook, { cache }: DnsDraft): CacheSettings | undefined {
  if (!cache) return undefined;
  const { size, stale, prefetch, 'ttl-min': least, 'ttl-max': most } = cache;
  if (least > most) book.report(['dns', 'cache', 'ttl-min'], 'at most ttl-max');
  return { sizeBytes: size, staleSeconds: stale, prefetch, leastTtlSeconds: least, mostTtlSeconds: most };
}

function rateLimitOf({ 'rate-limit': limit }: DnsDraft): { readonly rateLimit?: RateLimit } {
  if (limit === undefined || limit === 'off') return {};
  return { rateLimit: { responses: limit.responses, windowSeconds: limit.window, slip: limit.slip } };
}

/** What the rack answers for by itself: domain and reverse names of each subnet with `dhcp+dns`, and `dns.domains`. */
function ownDomains(subnets: readonly Subnet[], domains: readonly string[]): OwnDomain[] {
  const ofSubnets = subnets
    .filter(hasNames)
    .flatMap(({ cidr, domain }) => [zoneDomain(domain, `the domain ${domain} of a subnet`), reverseDomain(cidr)]);
  return [...ofSubnets, ...domains.map((domain) => zoneDomain(domain, `the domain ${domain} of dns.domains`))];
}

function zoneDomain(name: string, what: string): OwnDomain {
  return { what, holds: (other) => other === name || other.endsWith(`.${name}`) };
}

/** Reverse names are delegated by whole octets, so that the zone of a subnet may be wider than itself, or several. */
function reverseDomain(cidr: Cidr): OwnDomain {
  return {
    what: 'the reverse zone of a subnet',
    holds: (other) => {
      const block = reverseBlock(other);
      return block !== undefined && cidrsOverlap(block, cidr) && block.prefix >= Math.min(octets(cidr), 24);
    },
  };
}

/** 8, 16 or 24: what of a network's address is whole octets, rounded up. */
function octets({ prefix }: Cidr): number {
  return Math.ceil(prefix / 8) * 8;
}

/** The network whose reverse names "127.168.192.in-addr.arpa" holds. */
function reverseBlock(name: string): Cidr | undefined {
  const labels = name.endsWith('.in-addr.arpa') ? name.slice(0, -'.in-addr.arpa'.length).split('.').toReversed() : [];
  const known = labels.slice(0, 4);
  if (known.length === 0) return undefined;
  const address = parseIp4([...known, '0', '0', '0'].slice(0, 4).join('.'));
  return address === undefined ? undefined : { network: address, prefix: known.length * 8 };
}
