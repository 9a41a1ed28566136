import { keyOfName } from '../../wire/dns/compressed-name.ts';
import type { NameKey } from '../../wire/dns/name.ts';
import { TYPE } from '../../wire/dns/record-type.ts';
import type { ResourceRecord } from '../../wire/dns/resource-record.ts';
import type { DnsResponse } from '../../wire/dns/response.ts';

/** Longer chains than any that is meant. */
const MOST_HOPS = 16;
/** Where in the data of an RRSIG the signer's name begins (RFC 4034 §3.1). */
const SIGNER_AT = 18;

/** What was asked, as far as the answer must fit it. */
export interface AskedFor {
  readonly key: NameKey;
  readonly type: number;
  readonly dnssecOk: boolean;
}

/** What of a response belongs to its question. */
export interface Scrubbed {
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  /** Whether the question's type is among the answers. */
  readonly isPositive: boolean;
}

/**
 * Keeps the question's records, the aliases that lead to them, and what proves that there are none: a server, or who
 * speaks in its name, is believed about nothing else. Delegations are left out: no stub resolver follows them.
 */
export function scrub(asked: AskedFor, { answers, authorities }: DnsResponse): Scrubbed {
  const chain = followAliases(asked, answers);
  const kept = answers.filter((record) => isAnswer(asked, record, chain));
  const denied = authorities.find(({ type, owner }) => type === TYPE.SOA && isWithin(chain.last, owner))?.owner;
  const zones = zonesOfProof(chain, kept, denied);
  const proof = authorities.filter((record) => isProof(asked, record, denied, zones));
  const isPositive = kept.some(({ type }) => type === asked.type);
  return {
    answers: kept,
    // RFC 2308 §2: the SOA is for a "no"; beside an answer it says nothing
    authorities: isPositive ? proof.filter(({ type }) => type !== TYPE.SOA) : proof,
    isPositive,
  };
}

interface AliasChain {
  /** The names that the question is about, its own among them. */
  readonly names: ReadonlySet<NameKey>;
  /** Owners of DNAMEs above them (RFC 6672). */
  readonly above: ReadonlySet<NameKey>;
  readonly last: NameKey;
}

function followAliases({ key, type }: AskedFor, answers: readonly ResourceRecord[]): AliasChain {
  const names = new Set([key]);
  const above = new Set<NameKey>();
  let last = key;
  // RFC 1034 §3.6.2: who asks for the alias itself gets it
  if (type === TYPE.CNAME) return { names, above, last };
  const aliases = new Map<NameKey, NameKey>();
  const trees: NameKey[] = [];
  for (const record of answers) {
    if (record.type === TYPE.CNAME && !aliases.has(record.owner)) aliases.set(record.owner, keyOfName(record.data));
    if (record.type === TYPE.DNAME) trees.push(record.owner);
  }
  for (let hops = 0; hops < MOST_HOPS; hops++) {
    for (const tree of trees) if (tree !== last && isWithin(last, tree)) above.add(tree);
    const target = aliases.get(last);
    if (target === undefined || names.has(target)) break;
    names.add(target);
    last = target;
  }
  return { names, above, last };
}

function isAnswer(asked: AskedFor, record: ResourceRecord, { names, above }: AliasChain): boolean {
  const type = record.type === TYPE.RRSIG && asked.type !== TYPE.RRSIG ? coveredType(record) : record.type;
  if (type !== record.type && !asked.dnssecOk) return false;
  if (type === TYPE.DNAME && above.has(record.owner)) return true;
  return names.has(record.owner) && (type === asked.type || type === TYPE.CNAME);
}

/** The zone whose word the "no" is, and those from whose wildcards the names of the chain may have come (RFC 4035 §3.1.3.3). */
function zonesOfProof(
  { names }: AliasChain,
  answers: readonly ResourceRecord[],
  denied: NameKey | undefined,
): ReadonlySet<NameKey> {
  const zones = new Set(denied === undefined ? [] : [denied]);
  const signed = new Set<NameKey>();
  for (const record of answers) {
    const { owner, type } = record;
    // One each: who writes the answer could name a hundred
    if (type !== TYPE.RRSIG || !names.has(owner) || signed.has(owner)) continue;
    signed.add(owner);
    const signer = keyOfName(signerOf(record));
    if (isWithin(owner, signer)) zones.add(signer);
  }
  return zones;
}

function isProof(
  asked: AskedFor,
  record: ResourceRecord,
  denied: NameKey | undefined,
  zones: ReadonlySet<NameKey>,
): boolean {
  const { owner } = record;
  if (record.type === TYPE.SOA) return owner === denied;
  if (!asked.dnssecOk) return false;
  const type = record.type === TYPE.RRSIG ? coveredType(record) : record.type;
  if (type === TYPE.SOA) return owner === denied;
  return (type === TYPE.NSEC || type === TYPE.NSEC3) && [...zones].some((zone) => isWithin(owner, zone));
}

/** The end of a key that begins at a label is the key of a parent. */
export function isWithin(key: NameKey, zone: NameKey): boolean {
  if (key === zone) return true;
  const start = key.length - zone.length;
  if (start <= 0 || !key.endsWith(zone)) return false;
  let at = 0;
  while (at < start) at += 1 + key.charCodeAt(at);
  return at === start;
}

function coveredType({ data }: ResourceRecord): number {
  return data.length < 2 ? 0 : (data.charCodeAt(0) << 8) | data.charCodeAt(1);
}

function signerOf({ data }: ResourceRecord): string {
  let at = SIGNER_AT;
  while (data.charCodeAt(at) > 0) at += 1 + data.charCodeAt(at);
  return data.slice(SIGNER_AT, at + 1);
}
