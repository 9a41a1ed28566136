import { FLAG, HEADER, QueryReader, type DnsQuery } from '../wire/dns/query.ts';
import { CLASS_IN, TYPE } from '../wire/dns/record-type.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import { readResponse, type DnsResponse } from '../wire/dns/response.ts';
import type { DnsClient } from './dns-client.ts';
import type { ReplyTerms } from './forward-desk.ts';
import { keepAsked, type Asked } from './reply-options.ts';

/** Octets of OPT without options. */
const OPT_SIZE = 11;
const LARGEST = 65_535;
/** Bits of the header's second word that go along: AD and CD. */
const AD_CD = 0x30;
/** Type, class, TTL and RDLENGTH behind a record's owner. */
const RECORD_FIXED = 10;

/** What our zones said so far. */
export interface AliasSoFar {
  /** Header, question and the aliases, one behind the other. */
  readonly message: Buffer;
  /** Where in it the name stands, spelled out, that the last alias leads to. */
  readonly target: number;
}

/**
 * An alias of ours that leads to a name of others: a machine that asks for all of it is not told to go on by itself, as stub
 * resolvers can't (RFC 1034 §5.3.1). What the others say of that name is put behind it.
 */
export class AliasChase {
  /** The question for the name that the alias leads to. */
  readonly question: DnsQuery;
  readonly #message: Buffer;
  readonly #asked: Asked;
  readonly #client: DnsClient;
  readonly #terms: ReplyTerms;

  constructor(query: DnsQuery, client: DnsClient, terms: ReplyTerms, soFar: AliasSoFar) {
    const { address, port, idleTimeout } = client;
    // All of these are used again for the next message
    this.#client = { address, port, later: nowhere, ...(idleTimeout !== undefined && { idleTimeout }) };
    this.#asked = keepAsked(query);
    this.#terms = terms;
    this.#message = Buffer.from(soFar.message);
    this.question = questionFor(query, soFar);
  }

  /** The reply to the whole question, of that to `question`. */
  finish(reply: Uint8Array): Buffer {
    const response = readResponse(reply);
    const { options, limit, cookie } = this.#terms;
    const room = limit - options.size(this.#asked, this.#client);
    const parts = [this.#message, ...response.answers.map(encodeRecord), ...response.authorities.map(encodeRecord)];
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const isWhole = length <= room && !response.truncated;
    const into = Buffer.alloc(Math.max(limit, length));
    Buffer.concat(parts).copy(into);
    this.#writeHead(into, response, isWhole);
    const end = isWhole ? length : questionEnd(into);
    if (!this.#asked.edns) return into.subarray(0, end);
    into[11] = 1;
    const last = options.write(this.#asked, this.#client, cookie, response.extendedRcode, into, end);
    return into.subarray(0, last);
  }

  #writeHead(into: Buffer, response: DnsResponse, isWhole: boolean): void {
    const asked = this.#asked.bytes;
    const flags = FLAG.QR | FLAG.AA | FLAG.RA | (isWhole ? 0 : FLAG.TC) | response.rcode;
    into.writeUInt16BE(flags | (((asked[2] ?? 0) & 1) << 8) | ((asked[3] ?? 0) & 0x10), 2);
    into.writeUInt16BE(isWhole ? this.#message.readUInt16BE(6) + response.answers.length : 0, 6);
    into.writeUInt16BE(isWhole ? response.authorities.length : 0, 8);
    into.writeUInt16BE(0, 10);
  }
}

function questionFor({ bytes, type, edns }: DnsQuery, { message, target }: AliasSoFar): DnsQuery {
  let end = target;
  while ((message[end] ?? 0) > 0) end += 1 + (message[end] ?? 0);
  const head = Buffer.alloc(HEADER);
  head.set([bytes[0] ?? 0, bytes[1] ?? 0, (bytes[2] ?? 0) & 1, (bytes[3] ?? 0) & AD_CD, 0, 1]);
  head[11] = edns ? 1 : 0;
  const tail = Buffer.from([type >>> 8, type & 255, 0, CLASS_IN]);
  const opt = Buffer.alloc(edns ? OPT_SIZE : 0);
  if (edns) opt.set([0, 0, TYPE.OPT, LARGEST >>> 8, LARGEST & 255, 0, 0, edns.dnssecOk ? 0x80 : 0]);
  const reader = new QueryReader();
  reader.readHeader(Buffer.concat([head, message.subarray(target, end + 1), tail, opt]));
  reader.readRest();
  return reader;
}

function encodeRecord({ owner, type, ttl, data }: ResourceRecord): Buffer {
  const record = Buffer.alloc(owner.length + RECORD_FIXED + data.length);
  let at = record.write(owner, 'latin1');
  at = record.writeUInt16BE(type, at);
  at = record.writeUInt16BE(CLASS_IN, at);
  at = record.writeUInt32BE(ttl, at);
  at = record.writeUInt16BE(data.length, at);
  record.write(data, at, 'latin1');
  return record;
}

function questionEnd(message: Buffer): number {
  let at = HEADER;
  while ((message[at] ?? 0) > 0) at += 1 + (message[at] ?? 0);
  return at + 5;
}

function nowhere(): never {
  throw new Error('it was told already where replies go');
}
