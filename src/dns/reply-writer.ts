import { FLAG, HEADER, OPCODE_SHIFT, type DnsQuery } from '../wire/dns/query.ts';
import { RECORD_HEAD, type RecordSet } from '../wire/dns/record-set.ts';
import { CLASS_IN, TYPE } from '../wire/dns/record-type.ts';

/** Where in the header the records of a section are counted. */
export const SECTION = { ANSWER: 6, AUTHORITY: 8, ADDITIONAL: 10 } as const;
export type Section = (typeof SECTION)[keyof typeof SECTION];

/** A pointer has fourteen bits (RFC 1035 §4.1.4): names further back are written once more. */
const MAX_POINTER = 0x3fff;
/** From so many bytes on, a call that leaves JavaScript is faster than a loop. */
const LONG = 160;
/** Type, class, TTL and RDLENGTH behind an owner of any length. */
const RECORD_FIXED = 10;

/** Puts replies together, one after the other. Owners are pointers to where their name stands already. */
export class ReplyWriter {
  #into: Buffer = Buffer.alloc(0);
  #questionEnd = HEADER;
  #end = HEADER;
  #limit = 0;
  #truncated = false;

  /** Begins a reply with the question as it was spelled; records may take it up to `limit` bytes. */
  begin(query: DnsQuery, into: Buffer, limit: number): void {
    const { bytes, questionEnd } = query;
    this.#into = into;
    this.#questionEnd = questionEnd;
    this.#end = questionEnd;
    this.#limit = limit;
    this.#truncated = false;
    for (let i = 0; i < questionEnd; i++) into[i] = bytes[i] ?? 0;
    for (let i = 6; i < HEADER; i++) into[i] = 0;
  }

  /** The offset behind what is written. */
  get end(): number {
    return this.#end;
  }

  get bytes(): Buffer {
    return this.#into;
  }

  get isTruncated(): boolean {
    return this.#truncated;
  }

  /** Adds a set whose owner stands at offset `owner`, spelled out; false, and nothing is added, if it does not fit. */
  add(section: Section, set: RecordSet, owner: number): boolean {
    if (owner > MAX_POINTER) return this.#addSpelled(section, set, owner);
    const { wire, count } = set;
    const start = this.#end;
    const end = start + wire.length;
    if (end > this.#limit) return false;
    this.#write(wire, start);
    if (owner !== HEADER) this.#pointOwners(start, count, owner);
    this.#end = end;
    this.#count(section, count);
    return true;
  }

  /**
   * Adds the CNAME that a DNAME makes of the name at `owner`: its first `prefix` octets and then `target`. Returns the offset of
   * the new name, or 0, and nothing is added, if it does not fit.
   */
  addAlias(owner: number, prefix: number, target: string, ttl: number): number {
    const into = this.#into;
    const start = this.#end;
    const length = prefix + target.length;
    if (start + RECORD_HEAD + length > this.#limit) return 0;
    into[start] = 0xc0 | (owner >>> 8);
    into[start + 1] = owner & 255;
    into.writeUInt16BE(TYPE.CNAME, start + 2);
    into.writeUInt16BE(CLASS_IN, start + 4);
    into.writeUInt32BE(ttl, start + 6);
    into.writeUInt16BE(length, start + 10);
    into.copyWithin(start + RECORD_HEAD, owner, owner + prefix);
    this.#write(target, start + RECORD_HEAD + prefix);
    this.#end = start + RECORD_HEAD + length;
    this.#count(SECTION.ANSWER, 1);
    return start + RECORD_HEAD;
  }

  /**
   * Says that what the client needs did not fit (RFC 2181 §9). What did fit is taken out again, as the client is to ignore it:
   * so a cut reply is never much larger than its question.
   */
  truncate(): void {
    this.clear();
    this.#truncated = true;
  }

  /** Takes all records out again. */
  clear(): void {
    this.#truncated = false;
    this.#end = this.#questionEnd;
    this.#into.fill(0, SECTION.ANSWER, HEADER);
  }

  /** Takes out again what is behind `end`, all of other sections than the answer. */
  backTo(end: number): void {
    this.#end = end;
    this.#into.fill(0, SECTION.AUTHORITY, HEADER);
  }

  /** Ends the reply: flags as of RFC 1035 §4.1.1, with the lower bits of the response code. */
  finish(query: DnsQuery, flags: number, rcode: number): void {
    const { header, questions } = query;
    const word =
      FLAG.QR |
      (header.opcode << OPCODE_SHIFT) |
      (header.recursionDesired ? FLAG.RD : 0) |
      (this.#truncated ? FLAG.TC : 0) |
      flags |
      (rcode & 15);
    const into = this.#into;
    into[2] = word >>> 8;
    into[3] = word & 255;
    into[4] = 0;
    into[5] = questions;
  }

  /** The OPT record that is written behind a finished reply. */
  countOpt(): void {
    this.#count(SECTION.ADDITIONAL, 1);
  }

  #addSpelled(section: Section, set: RecordSet, owner: number): boolean {
    const into = this.#into;
    let ownerEnd = owner;
    while ((into[ownerEnd] ?? 0) > 0) ownerEnd += 1 + (into[ownerEnd] ?? 0);
    const ownerLength = ownerEnd + 1 - owner;
    if (this.#end + set.wire.length + set.count * (ownerLength - 2) > this.#limit) return false;
    let end = this.#end;
    for (let at = 0; at < set.wire.length;) {
      const next = at + RECORD_HEAD + ((set.wire.charCodeAt(at + 10) << 8) | set.wire.charCodeAt(at + 11));
      into.copyWithin(end, owner, owner + ownerLength);
      end += ownerLength;
      this.#write(set.wire.slice(at + RECORD_HEAD - RECORD_FIXED, next), end);
      end += next - at - (RECORD_HEAD - RECORD_FIXED);
      at = next;
    }
    this.#end = end;
    this.#count(section, set.count);
    return true;
  }

  #pointOwners(start: number, count: number, owner: number): void {
    const into = this.#into;
    let at = start;
    for (let left = count; left > 0; left--) {
      into[at] = 0xc0 | (owner >>> 8);
      into[at + 1] = owner & 255;
      at += RECORD_HEAD + (((into[at + 10] ?? 0) << 8) | (into[at + 11] ?? 0));
    }
  }

  #count(section: Section, more: number): void {
    const into = this.#into;
    const count = (((into[section] ?? 0) << 8) | (into[section + 1] ?? 0)) + more;
    into[section] = count >>> 8;
    into[section + 1] = count & 255;
  }

  #write(text: string, at: number): void {
    const into = this.#into;
    if (text.length >= LONG) into.write(text, at, 'latin1');
    else for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
  }
}
