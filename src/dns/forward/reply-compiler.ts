import { keyOfName } from '../../wire/dns/compressed-name.ts';
import type { NameKey } from '../../wire/dns/name.ts';
import { HEADER } from '../../wire/dns/query.ts';
import { RCODE } from '../../wire/dns/rcode.ts';
import { TYPE } from '../../wire/dns/record-type.ts';
import type { ResourceRecord } from '../../wire/dns/resource-record.ts';
import type { DnsResponse } from '../../wire/dns/response.ts';
import { WireError } from '../../wire/wire-error.ts';
import { scrub, type AskedFor } from './scrub.ts';

/** RFC 8767 §4: a TTL is a week at most. */
const LONGEST_TTL = 604_800;
/** RFC 2308 §5 suggests one to three hours for a "no". */
const LONGEST_NO = 10_800;
/** The longest message, less header and question, that a length of 16 bits allows. */
const ROOM = 65_535;
/** A pointer has 14 bits. */
const FURTHEST_POINTER = 0x3fff;
/** Octets that end the data of a SOA: the last four are MINIMUM. */
const SOA_MINIMUM = 4;

/** Seconds between which TTLs are kept. */
export interface TtlLimits {
  readonly least: number;
  readonly most: number;
}

/**
 * An answer from elsewhere, ready to be copied behind any spelling of its question: the question's name is pointed at,
 * never repeated.
 */
export interface CompiledReply {
  readonly rcode: number;
  readonly answers: number;
  readonly authorities: number;
  /** The records behind the question, one character per byte. */
  readonly wire: string;
  /** Where in `wire` the TTLs stand, one character for each. */
  readonly ttlOffsets: string;
  /** The upstream vouches for it (AD) and is one that may: its name was checked by TLS. */
  readonly authentic: boolean;
  /** Seconds that it may be kept; 0: for those who wait for it only. */
  readonly ttl: number;
}

/** A reply with no records: to a failure, or a refusal. */
export function bareReply(rcode: number, ttl = 0): CompiledReply {
  return { rcode, answers: 0, authorities: 0, wire: '', ttlOffsets: '', authentic: false, ttl };
}

/** Turns responses into what is kept of them. */
export class ReplyCompiler {
  readonly #room = Buffer.alloc(ROOM);
  #at = 0;
  /** Where in the message behind which name ends can be found. */
  #seen = new Map<string, number>();
  #ttlOffsets = '';

  /** Throws WireError for a response that grows too long when what it does not compress itself is written out. */
  compile(asked: AskedFor, response: DnsResponse, isTrusted: boolean, limits: TtlLimits): CompiledReply {
    const { answers, authorities, isPositive } = scrub(asked, response);
    const soa = authorities.find(({ type }) => type === TYPE.SOA);
    const noTtl = isPositive ? Infinity : soa ? Math.min(negativeTtl(soa), LONGEST_NO) : 0;
    const keep = (record: ResourceRecord): number => {
      const ttl = Math.min(Math.max(record.ttl, limits.least), limits.most, LONGEST_TTL);
      return record.type === TYPE.SOA && !isPositive ? Math.min(ttl, Math.max(noTtl, limits.least)) : ttl;
    };
    const wire = this.#write(asked.key, [...answers, ...authorities], keep);
    const ttl = Math.min(...answers.map(keep), ...(soa ? [keep(soa)] : []), isPositive ? LONGEST_TTL : noTtl);
    return {
      rcode: response.rcode,
      answers: answers.length,
      authorities: authorities.length,
      wire,
      ttlOffsets: this.#ttlOffsets,
      authentic: isTrusted && response.authentic,
      // RFC 2308 §5: a "no" without a SOA is not kept
      ttl: isKept(response.rcode) && (isPositive || soa) ? ttl : 0,
    };
  }

  #write(question: NameKey, records: readonly ResourceRecord[], ttlOf: (record: ResourceRecord) => number): string {
    const begin = HEADER + question.length + 4;
    this.#seen = new Map();
    this.#ttlOffsets = '';
    this.#remember(question, HEADER);
    this.#at = begin;
    for (const record of records) this.#writeRecord(record, ttlOf(record), begin);
    return this.#room.toString('latin1', begin, this.#at);
  }

  #writeRecord(record: ResourceRecord, ttl: number, begin: number): void {
    const { owner, type, data } = record;
    // Owner, fixed fields and data at their longest: names shrink, nothing grows
    if (this.#at + owner.length + 10 + data.length > ROOM) throw new WireError('an answer too long to be kept');
    this.#writeName(owner);
    const room = this.#room;
    room.writeUInt16BE(type, this.#at);
    room.writeUInt16BE(1, this.#at + 2);
    room.writeUInt32BE(ttl, this.#at + 4);
    this.#ttlOffsets += String.fromCharCode(this.#at + 4 - begin);
    const lengthAt = this.#at + 8;
    this.#at += 10;
    this.#writeData(type, data);
    room.writeUInt16BE(this.#at - lengthAt - 2, lengthAt);
  }

  /** RFC 3597 §4: only names in the types of RFC 1035 are compressed; these are the common ones. */
  #writeData(type: number, data: string): void {
    if (type === TYPE.CNAME || type === TYPE.NS || type === TYPE.PTR) return this.#writeName(data);
    if (type === TYPE.MX) {
      this.#writeBytes(data.slice(0, 2));
      return this.#writeName(data.slice(2));
    }
    if (type !== TYPE.SOA) return this.#writeBytes(data);
    const second = nameLength(data, 0);
    const numbers = second + nameLength(data, second);
    this.#writeName(data.slice(0, second));
    this.#writeName(data.slice(second, numbers));
    this.#writeBytes(data.slice(numbers));
  }

  #writeBytes(text: string): void {
    this.#at += this.#room.write(text, this.#at, 'latin1');
  }

  #writeName(name: string): void {
    const key = keyOfName(name);
    for (let from = 0; from < name.length - 1; from += 1 + name.charCodeAt(from)) {
      const target = this.#seen.get(key.slice(from));
      if (target !== undefined) {
        this.#remember(key.slice(0, from) as NameKey, this.#at, key);
        this.#writeBytes(name.slice(0, from));
        this.#room.writeUInt16BE(0xc000 | target, this.#at);
        this.#at += 2;
        return;
      }
    }
    this.#remember(key, this.#at);
    this.#writeBytes(name);
  }

  /** The name that stands, or is about to be written, at `at`, and its parents; of `whole` only the labels of `written`. */
  #remember(written: NameKey, at: number, whole: NameKey = written): void {
    for (let from = 0; from < written.length && whole.charCodeAt(from) > 0; from += 1 + whole.charCodeAt(from)) {
      const suffix = whole.slice(from);
      if (at + from <= FURTHEST_POINTER && !this.#seen.has(suffix)) this.#seen.set(suffix, at + from);
    }
  }
}

/** RFC 2308 §5: the lesser of the SOA's own TTL and its MINIMUM. */
function negativeTtl({ ttl, data }: ResourceRecord): number {
  const minimum = Buffer.from(data.slice(-SOA_MINIMUM), 'latin1').readUInt32BE();
  return Math.min(ttl, minimum);
}

function isKept(rcode: number): boolean {
  return rcode === RCODE.NOERROR || rcode === RCODE.NXDOMAIN;
}

/** Of a whole name at `start`, its zero included. */
function nameLength(data: string, start: number): number {
  let at = start;
  while (data.charCodeAt(at) > 0) at += 1 + data.charCodeAt(at);
  return at + 1 - start;
}
