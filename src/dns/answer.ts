import { NamePath } from '../wire/dns/name-path.ts';
import { isWithin, type NameKey } from '../wire/dns/name.ts';
import { HEADER, type DnsQuery } from '../wire/dns/query.ts';
import { RCODE } from '../wire/dns/rcode.ts';
import { ttlOf, type RecordSet, type Target } from '../wire/dns/record-set.ts';
import { TYPE } from '../wire/dns/record-type.ts';
import { SECTION, type ReplyWriter } from './reply-writer.ts';
import type { Zone, ZoneNode } from './zone.ts';

/** CNAMEs and DNAMEs followed for one question. */
const MOST_ALIASES = 16;
/** Hosts whose addresses are added to one reply. */
const MOST_HOSTS = 64;
const MAX_NAME = 255;
const ROOT = '\0' as NameKey;
/** The types whose targets are asked for next (RFC 1035 §3.3, RFC 2782, RFC 9460 §4.1). */
const HAVE_HOSTS: ReadonlySet<number> = new Set([TYPE.NS, TYPE.MX, TYPE.SRV, TYPE.SVCB, TYPE.HTTPS]);

/** Finds the zone a name belongs to. */
export interface ZoneFinder {
  /** By the name without its first `label` labels. */
  findAbove(path: NamePath, label: number): Zone | undefined;
  /** Whether it belongs to a zone that is ours, and of which nothing can be said now. */
  isAwaited?(path: NamePath): boolean;
}

/** What a reply says. */
export type ReplyKind = 'answer' | 'nodata' | 'nxdomain' | 'referral' | 'outside' | 'alias-outside' | 'alias-awaited';

/** What came of a question. */
export interface Outcome {
  readonly kind: ReplyKind;
  readonly rcode: number;
  readonly authoritative: boolean;
  /** The zone that said it; absent for a name outside of ours. */
  readonly zone: Zone | undefined;
  /** It was made of a wildcard. */
  readonly synthesized: boolean;
  /** Where the name stands that the last alias leads to, and where the aliases end; 0 without any. */
  readonly aliasTarget: number;
  readonly aliasEnd: number;
}

/**
 * Finds what our zones say to a question, and writes the records of it: the algorithm of RFC 1034 §4.3.2 with its amendments by RFC
 * 2308, 4592 (wildcards), 6672 (DNAME) and 8020. Replies are small: NS of the zone stand in no answer that has not asked for
 * them, as whoever asks us has found us.
 */
export class Answerer implements Outcome {
  kind: ReplyKind = 'outside';
  rcode: number = RCODE.NOERROR;
  authoritative = false;
  zone: Zone | undefined;
  synthesized = false;
  aliasTarget = 0;
  aliasEnd = 0;
  readonly #zones: ZoneFinder;
  readonly #writer: ReplyWriter;
  readonly #target = new NamePath();
  readonly #seen: NameKey[] = [];
  readonly #hostPath = new NamePath();
  readonly #hosts: NameKey[] = [];
  readonly #renamed: ZoneNode[] = [];

  constructor(zones: ZoneFinder, writer: ReplyWriter) {
    this.#zones = zones;
    this.#writer = writer;
  }

  /** The outcome is good until the next question. */
  answer(query: DnsQuery): Outcome {
    this.reset(RCODE.NOERROR);
    // To set a length costs more than to look at it, and most questions leave none
    if (this.#hosts.length > 0) this.#hosts.length = 0;
    if (this.#renamed.length > 0) this.#renamed.length = 0;
    this.zone = zoneFor(query.path, query.type, this.#zones);
    if (this.zone) this.#follow(query, this.zone);
    return this;
  }

  /** An outcome that is nothing but a response code. */
  reset(rcode: number): void {
    this.kind = 'outside';
    this.rcode = rcode;
    this.authoritative = false;
    this.zone = undefined;
    this.synthesized = false;
    this.aliasTarget = 0;
  }

  /** The alias that leads on, name by name, as far as our zones reach. */
  #follow(query: DnsQuery, first: Zone): void {
    let { path } = query;
    let zone = first;
    let at = this.#step(query, path, zone, HEADER);
    if (at === 0) return;
    this.#seen.length = 0;
    this.#seen.push(query.key);
    for (let left = MOST_ALIASES; left > 0; left--) {
      path = this.#target;
      path.read(this.#writer.bytes, at);
      this.aliasTarget = at;
      this.aliasEnd = this.#writer.end;
      // It is ours: nobody else knows, nor does the zone around it
      if (this.#zones.isAwaited?.(path)) return void (this.kind = 'alias-awaited');
      const next = zoneFor(path, query.type, this.#zones);
      if (!next) return void (this.kind = 'alias-outside');
      const key = path.key();
      // A loop: what there is of it was told
      if (this.#seen.includes(key)) return;
      this.#seen.push(key);
      zone = next;
      this.zone = zone;
      at = this.#step(query, path, zone, at);
      if (at === 0) return;
    }
  }

  /** One name, which stands at offset `at`, in one zone. Returns the offset of the name it is an alias for, or 0 at the end. */
  #step(query: DnsQuery, path: NamePath, zone: Zone, at: number): number {
    const node = zone.node(path, 0);
    const encloser = node ?? closestEncloser(path, zone);
    if (zone.hasRedirects) {
      const redirect = highestRedirect(encloser, node);
      const where = redirect ? at + path.length - redirect.key.length : 0;
      // RFC 4035 §3.1.4.1: of a delegation the DS is the parent's to say
      if (redirect?.cut && !(redirect === node && query.type === TYPE.DS)) {
        return this.#refer(query, redirect, where);
      }
      if (redirect && !redirect.cut) return this.#rename(query, path, redirect, at, where);
    }
    this.authoritative ||= at === HEADER;
    if (node) return this.#tell(query, node.sets, zone, path, at);
    const wildcard = zone.hasWildcards ? zone.wildcard(encloser) : undefined;
    if (!wildcard) return this.#deny('nxdomain', RCODE.NXDOMAIN, zone, path, at);
    this.synthesized = true;
    return this.#tell(query, wildcard.sets, zone, path, at);
  }

  /** What a name has, by itself or by a wildcard: the set that was asked for, or where the name leads. */
  #tell(query: DnsQuery, sets: readonly RecordSet[], zone: Zone, path: NamePath, at: number): number {
    const { type } = query;
    let alias: RecordSet | undefined;
    for (let i = 0; i < sets.length; i++) {
      const set = sets[i];
      // RFC 8482 §4.1: ANY gets one of the sets, so that it is no tool for amplification
      if (set && (set.type === type || type === TYPE.ANY)) return this.#give(set, sets, at);
      if (set?.type === TYPE.CNAME) alias = set;
    }
    // RFC 2308 §2.2: the name is there, if only because of names below it, but not this type
    if (!alias) return this.#deny('nodata', RCODE.NOERROR, zone, path, at);
    const record = this.#writer.end;
    this.kind = 'answer';
    if (!this.#writer.add(SECTION.ANSWER, alias, at)) return this.#cut();
    return record + (alias.targets[0]?.at ?? 0);
  }

  #give(set: RecordSet, sets: readonly RecordSet[], at: number): number {
    const start = this.#writer.end;
    this.kind = 'answer';
    if (!this.#writer.add(SECTION.ANSWER, set, at)) return this.#cut();
    if (!HAVE_HOSTS.has(set.type)) return 0;
    for (const target of set.targets) {
      if (target.key !== ROOT) this.#addHost(target, start);
      // RFC 9460 §2.5.2: "." is the name itself; in MX and SRV it is nobody
      else if (set.type === TYPE.HTTPS || set.type === TYPE.SVCB) this.#addOwn(sets, at);
    }
    return 0;
  }

  #deny(kind: 'nodata' | 'nxdomain', rcode: number, zone: Zone, path: NamePath, at: number): number {
    this.kind = kind;
    this.rcode = rcode;
    const origin = at + path.length - zone.origin.length;
    if (!this.#writer.add(SECTION.AUTHORITY, zone.negative, origin)) return this.#cut();
    return 0;
  }

  /** RFC 1034 §4.3.2 step 3b: who answers for the name is told instead. */
  #refer(query: DnsQuery, delegation: ZoneNode, at: number): number {
    const servers = delegation.sets.find(({ type }) => type === TYPE.NS);
    const signer = query.edns?.dnssecOk ? delegation.sets.find(({ type }) => type === TYPE.DS) : undefined;
    const start = this.#writer.end;
    this.kind = 'referral';
    if (!servers || !this.#writer.add(SECTION.AUTHORITY, servers, at)) return this.#cut();
    // RFC 4035 §3.1.4
    if (signer && !this.#writer.add(SECTION.AUTHORITY, signer, at)) return this.#cut();
    // RFC 9471 §2.1: without the addresses of servers below the cut nobody finds them, so they are no extra
    for (const target of servers.targets) {
      if (!isWithin(target.key, delegation.key)) continue;
      if (!this.#addHost(target, start)) return this.#cut();
    }
    for (const target of servers.targets) {
      if (!isWithin(target.key, delegation.key)) this.#addHost(target, start);
    }
    return 0;
  }

  /** RFC 6672 §3.2: names below a DNAME are those of its target. */
  #rename(query: DnsQuery, path: NamePath, dname: ZoneNode, at: number, owner: number): number {
    const set = dname.sets.find(({ type }) => type === TYPE.DNAME);
    const target = set?.targets[0];
    this.kind = 'answer';
    this.authoritative ||= at === HEADER;
    if (!set || !target) return 0;
    // An alias may lead below the same DNAME again
    if (!this.#renamed.includes(dname) && !this.#writer.add(SECTION.ANSWER, set, owner)) return this.#cut();
    this.#renamed.push(dname);
    const prefix = path.length - dname.key.length;
    if (prefix + target.key.length > MAX_NAME) {
      this.rcode = RCODE.YXDOMAIN;
      return 0;
    }
    const name = set.wire.slice(target.at, target.at + target.key.length);
    const alias = this.#writer.addAlias(at, prefix, name, ttlOf(set)) || this.#cut();
    // Whoever asks for a CNAME has one (RFC 1034 §4.3.2 step 3a), as has who asks for anything
    return query.type === TYPE.CNAME || query.type === TYPE.ANY ? 0 : alias;
  }

  /**
   * Adds the addresses that a zone of ours has of a host named in the set that begins at offset `start`. False if they do not fit;
   * RFC 2181 §9 leaves them out then.
   */
  #addHost(target: Target, start: number): boolean {
    if (this.#hosts.length >= MOST_HOSTS || this.#hosts.includes(target.key)) return true;
    this.#hosts.push(target.key);
    const node = this.#host(target.key);
    if (!node) return true;
    return this.#addAddresses(node.sets, start + target.at);
  }

  #addOwn(sets: readonly RecordSet[], owner: number): void {
    if (this.#hosts.includes(ROOT)) return;
    this.#hosts.push(ROOT);
    this.#addAddresses(sets, owner);
  }

  #addAddresses(sets: readonly RecordSet[], owner: number): boolean {
    let fits = true;
    for (const set of sets) {
      if (set.type !== TYPE.A && set.type !== TYPE.AAAA) continue;
      fits = this.#writer.add(SECTION.ADDITIONAL, set, owner) && fits;
    }
    return fits;
  }

  /** What the zone of a host has of it, as glue too, or by a wildcard. */
  #host(key: NameKey): ZoneNode | undefined {
    const path = this.#hostPath;
    path.readKey(key);
    const zone = this.#zones.findAbove(path, 0);
    const node = zone?.node(path, 0);
    if (node || !zone?.hasWildcards) return node;
    const encloser = closestEncloser(path, zone);
    return highestRedirect(encloser, undefined) ? undefined : zone.wildcard(encloser);
  }

  #cut(): 0 {
    this.#writer.truncate();
    return 0;
  }
}

/** Of the name of a zone DS is asked of the zone above (RFC 4035 §3.1.4.1). */
function zoneFor(path: NamePath, type: number, zones: ZoneFinder): Zone | undefined {
  const zone = zones.findAbove(path, 0);
  if (type !== TYPE.DS || !zone || zone.origin.length !== path.length || path.labels === 0) return zone;
  return zones.findAbove(path, 1) ?? zone;
}

/** The longest part of the name that exists (RFC 4592 §3.3.1). The origin always does. */
function closestEncloser(path: NamePath, zone: Zone): ZoneNode {
  for (let label = 1; label < path.labels; label++) {
    const node = zone.node(path, label);
    if (node) return node;
  }
  return zone.apex;
}

/** The highest delegation at or above a name, or DNAME above it: what is below is hidden by it. */
function highestRedirect(encloser: ZoneNode, name: ZoneNode | undefined): ZoneNode | undefined {
  let highest: ZoneNode | undefined;
  for (let node: ZoneNode | undefined = encloser; node; node = node.parent) {
    if (node.cut || (node.dname && node !== name)) highest = node;
  }
  return highest;
}
