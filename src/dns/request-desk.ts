import type { Ip4 } from '../addr/ip4.ts';
import type { Counters } from '../service/letters.ts';
import { Tally } from '../service/tally.ts';
import type { Clock } from '../system/clock.ts';
import { decodeHeader, decodeQuery, HEADER, OPCODE_QUERY, type DnsQuery } from '../wire/dns/query.ts';
import { RCODE } from '../wire/dns/rcode.ts';
import { TYPE } from '../wire/dns/record-type.ts';
import { TSIG_ERROR } from '../wire/dns/tsig.ts';
import { WireError } from '../wire/wire-error.ts';
import type { Requester } from './client-acl.ts';
import type { StreamClient } from './stream/stream-client.ts';
import type { TransferDesk } from './transfer/transfer-desk.ts';
import { TsigSigner, unsignedFaultSize, writeUnsignedFault } from './tsig/tsig-signer.ts';
import { verifyTsig, type KeyFinder, type Verdict } from './tsig/verify-tsig.ts';
import type { UpdateDesk } from './update/update-desk.ts';

/** RFC 2136 §2.2 */
const OPCODE_UPDATE = 5;
/** What every client takes by UDP; a signature comes on top. */
const ROOM_FOR_TRUNCATED = 512;

/** Where a message came from. */
export interface Origin {
  readonly address: Ip4;
  /** Absent: it came by UDP. */
  readonly client: StreamClient | undefined;
}

/** Answers an ordinary question, in `limit` octets at most. Returns the length of the reply, 0 for none or none yet. */
export type Answerer = (message: Uint8Array, from: Origin, into: Buffer, limit: number) => number;

/** What a request desk is built from. */
export interface RequestContext {
  readonly clock: Clock;
  readonly keys: KeyFinder;
  readonly transfers: TransferDesk;
  readonly updates: UpdateDesk;
  readonly answer: Answerer;
}

/** Whether a message needs more than an answer out of the zones: a transfer, an update, or anything that is signed. */
export function isSpecial(message: Uint8Array): boolean {
  if (message.length < HEADER || (message[2] ?? 0) >= 0x80) return false;
  if (opcodeOf(message) === OPCODE_UPDATE) return true;
  const type = questionType(message);
  return type === TYPE.AXFR || type === TYPE.IXFR || mayBeSigned(message);
}

/** Answers what is signed, transfers and updates; the rest of the service answers what it asks for in them. */
export class RequestDesk {
  readonly #context: RequestContext;
  readonly #tally = new Tally();

  constructor(context: RequestContext) {
    this.#context = context;
  }

  /** A message that `isSpecial` → the length of its reply in `into`, of `limit` octets at most; 0 for none, or a transfer that follows. */
  handle(message: Uint8Array, from: Origin, into: Buffer, limit: number): number {
    const { clock, keys } = this.#context;
    const now = Math.floor(clock.now() / 1000);
    const verdict = verifyTsig(message, keys, now);
    switch (verdict.kind) {
      case 'malformed':
        return this.#refuse(message, RCODE.FORMERR, into);
      case 'unsigned':
        return this.#serve(message, from, into, limit, undefined);
      case 'unproven':
        return this.#answerUnproven(message, verdict, into);
      case 'unfit':
        return this.#answerUnfit(message, verdict, now, into);
      case 'good':
        return this.#answerSigned(message, from, into, limit, verdict);
    }
  }

  counters(): Counters {
    const { transfers, updates } = this.#context;
    return { ...this.#tally.read(), ...transfers.counters(), ...updates.counters() };
  }

  /** RFC 8945 §5.4.1: what is signed is answered signed. */
  #answerSigned(
    message: Uint8Array,
    from: Origin,
    into: Buffer,
    limit: number,
    verdict: Verdict & { kind: 'good' },
  ): number {
    this.#tally.add('tsig.good');
    const { secret, tsig } = verdict;
    const signer = new TsigSigner(secret, tsig.mac);
    const room = Math.max(limit - signer.size, ROOM_FOR_TRUNCATED - signer.size);
    const length = this.#serve(message, from, into, room, { signer, key: secret.name });
    return length === 0 ? 0 : signer.sign(into, length, this.#now());
  }

  /** Neither the key nor the MAC can be trusted: NOTAUTH, without a MAC (RFC 8945 §5.2.1, §5.2.2). */
  #answerUnproven(message: Uint8Array, { tsig, error }: Verdict & { kind: 'unproven' }, into: Buffer): number {
    this.#tally.add(error === TSIG_ERROR.BADKEY ? 'tsig.badkey' : 'tsig.badsig');
    const length = echoQuestion(message, RCODE.NOTAUTH, into);
    return length + unsignedFaultSize(tsig) > into.length ? length : writeUnsignedFault(tsig, error, into, length);
  }

  /** The key is right: NOTAUTH is signed by it (RFC 8945 §5.2.3, §5.2.4). */
  #answerUnfit(
    message: Uint8Array,
    { tsig, secret, error }: Verdict & { kind: 'unfit' },
    now: number,
    into: Buffer,
  ): number {
    this.#tally.add(error === TSIG_ERROR.BADTIME ? 'tsig.badtime' : 'tsig.badtrunc');
    const length = echoQuestion(message, RCODE.NOTAUTH, into);
    if (error !== TSIG_ERROR.BADTIME) return new TsigSigner(secret, tsig.mac, { error }).sign(into, length, now);
    const other = Buffer.alloc(6);
    other.writeUIntBE(now, 0, 6);
    return new TsigSigner(secret, tsig.mac, { error, timeSigned: tsig.timeSigned, other }).sign(into, length, now);
  }

  #serve(
    message: Uint8Array,
    from: Origin,
    into: Buffer,
    limit: number,
    signed: { readonly signer: TsigSigner; readonly key: Requester['key'] } | undefined,
  ): number {
    const requester: Requester = { address: from.address, key: signed?.key };
    if (opcodeOf(message) === OPCODE_UPDATE) {
      return echoQuestion(message, this.#context.updates.answer(message, requester), into);
    }
    const query = readQuery(message);
    if (query?.header.opcode !== OPCODE_QUERY || !isTransfer(query)) {
      return this.#context.answer(message, from, into, limit);
    }
    return this.#transfer(query, { requester, from, signer: signed?.signer }, into, limit);
  }

  #transfer(
    query: DnsQuery,
    asker: { readonly requester: Requester; readonly from: Origin; readonly signer: TsigSigner | undefined },
    into: Buffer,
    limit: number,
  ): number {
    const { requester, from, signer } = asker;
    const outcome = this.#startTransfer(query, { requester, client: from.client, signer, limit });
    if (outcome === 'under way') return 0;
    if ('rcode' in outcome) return echoQuestion(query.bytes, outcome.rcode, into);
    into.set(outcome.message);
    return outcome.message.length;
  }

  #startTransfer(
    query: DnsQuery,
    request: Omit<Parameters<TransferDesk['answer']>[0], 'query'>,
  ): ReturnType<TransferDesk['answer']> {
    try {
      return this.#context.transfers.answer({ query, ...request });
    } catch (error) {
      if (error instanceof WireError) return { rcode: RCODE.FORMERR };
      throw error;
    }
  }

  #refuse(message: Uint8Array, rcode: number, into: Buffer): number {
    this.#tally.add('tsig.malformed');
    return writeHeader(message, rcode, 0, into);
  }

  #now(): number {
    return Math.floor(this.#context.clock.now() / 1000);
  }
}

/** The header and, where it can be read, the question or the zone, with an rcode: as much as an answer without records says. */
function echoQuestion(message: Uint8Array, rcode: number, into: Buffer): number {
  const query = readQuery(message);
  if (!query) return writeHeader(message, rcode, 0, into);
  writeHeader(message, rcode, 1, into);
  into.set(message.subarray(HEADER, query.questionEnd), HEADER);
  return query.questionEnd;
}

function writeHeader(message: Uint8Array, rcode: number, questions: number, into: Buffer): number {
  into.fill(0, 0, HEADER);
  into.set(message.subarray(0, 2));
  // QR set; opcode and RD as they came
  into[2] = 0x80 | ((message[2] ?? 0) & 0x79);
  into[3] = rcode;
  into[5] = questions;
  return HEADER;
}

function readQuery(message: Uint8Array): DnsQuery | undefined {
  try {
    return decodeQuery(message, decodeHeader(message));
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function isTransfer({ type }: DnsQuery): boolean {
  return type === TYPE.AXFR || type === TYPE.IXFR;
}

function opcodeOf(message: Uint8Array): number {
  return ((message[2] ?? 0) >>> 3) & 15;
}

/** The type of the first question, which begins behind the header and has no pointers; 0 where there is none. */
function questionType(message: Uint8Array): number {
  const at = questionNameEnd(message);
  return ((message[at] ?? 0) << 8) | (message[at + 1] ?? 0);
}

function questionNameEnd(message: Uint8Array): number {
  let at = HEADER;
  while (at < message.length) {
    const length = message[at] ?? 0;
    if (length === 0) return at + 1;
    if (length > 63) return message.length;
    at += 1 + length;
  }
  return at;
}

/** Nearly all queries have OPT as their only additional record, and end behind it; in all others a signature is looked for. */
function mayBeSigned(message: Uint8Array): boolean {
  const additional = ((message[10] ?? 0) << 8) | (message[11] ?? 0);
  if (additional === 0) return false;
  const opt = questionNameEnd(message) + 4;
  const isOpt = message[opt] === 0 && message[opt + 1] === 0 && message[opt + 2] === TYPE.OPT;
  const end = opt + 11 + (((message[opt + 9] ?? 0) << 8) | (message[opt + 10] ?? 0));
  return additional > 1 || !isOpt || end < message.length - SHORTEST_TSIG;
}

/** No TSIG is shorter: root as key and algorithm, and no MAC. */
const SHORTEST_TSIG = 26;
