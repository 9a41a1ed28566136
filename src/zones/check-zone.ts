import { keyText, parentKey, type NameKey } from '../wire/dns/name.ts';
import { targetOf } from '../wire/dns/rdata/rdata.ts';
import { TYPE, typeName } from '../wire/dns/record-type.ts';
import type { DraftSet, Place, ZoneDraft } from './zone-draft.ts';

export interface ZoneReport {
  readonly fault: (place: Place, text: string) => void;
  readonly warn: (place: Place, text: string) => void;
}

/** May stand beside a CNAME (RFC 4034 §2.5, §3). */
const BESIDE_CNAME: ReadonlySet<number> = new Set([TYPE.CNAME, TYPE.RRSIG, TYPE.NSEC, 25]);
/** One record is all that a name can have of these (RFC 1034 §3.6.2, RFC 6672 §2.4). */
const SINGLE: ReadonlySet<number> = new Set([TYPE.SOA, TYPE.CNAME, TYPE.DNAME]);
/** Their targets should have addresses of their own (RFC 2181 §10.3, RFC 2782). */
const POINTING: ReadonlySet<number> = new Set([TYPE.MX, TYPE.SRV]);
/** Names between two pauses. */
const STRIDE = 256;
const WILDCARD = '\u{1}*';

/** Holds the records of a zone against each other. `top`: where to say what is missing. */
export function* checkZone(draft: ZoneDraft, top: Place, report: ZoneReport): Generator<undefined, void> {
  const check = new ZoneCheck(draft, report);
  check.checkApex(top);
  let count = 0;
  for (const [owner, sets] of draft.names) {
    check.checkName(owner, sets);
    if (++count % STRIDE === 0) yield;
  }
}

class ZoneCheck {
  readonly #draft: ZoneDraft;
  readonly #report: ZoneReport;

  constructor(draft: ZoneDraft, report: ZoneReport) {
    this.#draft = draft;
    this.#report = report;
  }

  /** RFC 1035 §5.2 */
  checkApex(top: Place): void {
    for (const type of [TYPE.SOA, TYPE.NS]) {
      if (this.#draft.find(this.#draft.origin, type)) continue;
      this.#report.fault(
        top,
        `expected ${type === TYPE.SOA ? 'a SOA' : 'an NS'} record of ${keyText(this.#draft.origin)}, found none`,
      );
    }
  }

  checkName(owner: NameKey, sets: readonly DraftSet[]): void {
    this.#checkAlias(owner, sets);
    for (const set of sets) {
      if (SINGLE.has(set.type) && set.records.length > 1) {
        this.#report.fault(placeOf(set, 1), `expected one ${typeName(set.type)} of ${keyText(owner)}, found another`);
      }
      if (set.type === TYPE.NS) this.#checkServers(owner, set);
      if (POINTING.has(set.type)) this.#checkTargets(owner, set);
    }
  }

  /** RFC 1034 §3.6.2: an alias has no other data; RFC 6672 §2.3: nor may one name be both kinds of alias. */
  #checkAlias(owner: NameKey, sets: readonly DraftSet[]): void {
    if (!sets.some(({ type }) => type === TYPE.CNAME)) return;
    const other = sets.find(({ type }) => !BESIDE_CNAME.has(type));
    if (other)
      this.#report.fault(
        placeOf(other),
        `expected nothing beside the CNAME of ${keyText(owner)}, found ${typeName(other.type)}`,
      );
  }

  #checkServers(owner: NameKey, set: DraftSet): void {
    // RFC 4592 §4.2 leaves open what it would mean
    if (owner.startsWith(WILDCARD)) return this.#report.fault(placeOf(set), 'expected no NS at a wildcard, found one');
    for (const [i, { data }] of set.records.entries()) {
      const server = targetOf(set.type, data);
      if (server === undefined || !this.#draft.contains(server) || this.#hasAddress(server)) continue;
      const cut = this.#cutAbove(server);
      if (cut === owner) this.#warnOfGlue(placeOf(set, i), owner, server);
      // What is below a cut is for the servers there to say
      if (cut !== undefined) continue;
      const found = this.#draft.find(server, TYPE.CNAME) ? 'a CNAME' : 'none';
      this.#report.fault(placeOf(set, i), `expected an address of the name server ${keyText(server)}, found ${found}`);
    }
  }

  /** RFC 1034 §4.2.1: a server below the cut it serves can't be found without. What is beside it in the zone can. */
  #warnOfGlue(place: Place, owner: NameKey, server: NameKey): void {
    this.#report.warn(
      place,
      `nobody finds ${keyText(owner)}: its name server ${keyText(server)} needs an address here (glue)`,
    );
  }

  #checkTargets(owner: NameKey, set: DraftSet): void {
    for (const [i, { data }] of set.records.entries()) {
      const target = targetOf(set.type, data);
      if (target === undefined || !this.#draft.contains(target) || this.#hasAddress(target)) continue;
      if (this.#cutAbove(target) !== undefined) continue;
      const what = this.#draft.find(target, TYPE.CNAME) ? 'is a CNAME' : 'has no address';
      this.#report.warn(
        placeOf(set, i),
        `the ${typeName(set.type)} of ${keyText(owner)} names ${keyText(target)}, which ${what}`,
      );
    }
  }

  /** Its own, or by a wildcard. */
  #hasAddress(name: NameKey): boolean {
    if (this.#isAddressed(name)) return true;
    for (
      let above = this.#draft.names.has(name) ? undefined : parentKey(name);
      above !== undefined;
      above = parentKey(above)
    ) {
      if (this.#isAddressed((WILDCARD + above) as NameKey)) return true;
      if (this.#draft.names.has(above) || above === this.#draft.origin) return false;
    }
    return false;
  }

  #isAddressed(name: NameKey): boolean {
    return this.#draft.find(name, TYPE.A) !== undefined || this.#draft.find(name, TYPE.AAAA) !== undefined;
  }

  /** The name at or above, below the origin, that other servers answer for: of several the highest. */
  #cutAbove(name: NameKey): NameKey | undefined {
    let cut: NameKey | undefined;
    for (let at: NameKey | undefined = name; at !== undefined && at !== this.#draft.origin; at = parentKey(at)) {
      if (this.#draft.find(at, TYPE.NS)) cut = at;
    }
    return cut;
  }
}

function placeOf(set: DraftSet, index = 0): Place {
  return set.records[index]?.place ?? { file: '', line: 1 };
}
