import type { Counters } from '../service/letters.ts';
import { Tally } from '../service/tally.ts';
import type { Clock } from '../system/clock.ts';
import { HEADER, type DnsQuery } from '../wire/dns/query.ts';
import { RCODE } from '../wire/dns/rcode.ts';
import { TSIG_ERROR } from '../wire/dns/tsig.ts';
import { WireError } from '../wire/wire-error.ts';
import type { Requester } from './client-acl.ts';
import type { DnsClient } from './dns-client.ts';
import type { PlainAnswer } from './respond.ts';
import type { StreamClient } from './stream/stream-client.ts';
import type { TransferDesk, TransferOutcome, TransferRequest } from './transfer/transfer-desk.ts';
import type { TsigSecret } from './tsig/tsig-secret.ts';
import { TsigSigner, unsignedFaultSize, writeUnsignedFault } from './tsig/tsig-signer.ts';
import { verifyTsig, type KeyFinder, type Verdict } from './tsig/verify-tsig.ts';
import type { UpdateDesk } from './update/update-desk.ts';

/** What a primary's desk is built from. */
export interface PrimaryContext {
  readonly clock: Clock;
  readonly keys: KeyFinder;
  readonly transfers: TransferDesk;
  readonly updates: UpdateDesk;
}

/** The signature of the message in hand. */
interface Signature {
  readonly secret: TsigSecret;
  readonly signer: TsigSigner;
}

/** What a primary does beside answering: transfers, updates, and signatures over any message. */
export class PrimaryDesk {
  readonly #context: PrimaryContext;
  readonly #tally = new Tally();
  #signature: Signature | undefined;

  constructor(context: PrimaryContext) {
    this.#context = context;
  }

  /** AXFR or IXFR → the length of a reply in `into`; 0 when it follows as messages of its own. */
  transfer(query: DnsQuery, client: DnsClient, into: Buffer, limit: number): number {
    const outcome = this.#startTransfer({
      query,
      requester: this.#requester(client),
      client: isStream(client) ? client : undefined,
      signer: this.#signature?.signer,
      limit,
    });
    if (outcome === 'under way') return 0;
    if ('rcode' in outcome) return echoQuestion(query, outcome.rcode, into);
    into.set(outcome.message);
    return outcome.message.length;
  }

  /** UPDATE → the length of its reply. */
  update(query: DnsQuery, client: DnsClient, into: Buffer): number {
    return echoQuestion(query, this.#context.updates.answer(query.bytes, this.#requester(client)), into);
  }

  /**
   * A message with TSIG → the length of its reply; 0 for none, or one that follows. `plain` does what would be done without
   * it, in so many octets (RFC 8945 §5.2, §5.3).
   */
  signed(query: DnsQuery, _client: DnsClient, into: Buffer, limit: number, plain: PlainAnswer): number {
    const now = this.#now();
    const verdict = verifyTsig(query.bytes, this.#context.keys, now);
    switch (verdict.kind) {
      case 'unsigned':
      case 'malformed':
        this.#tally.add('tsig.malformed');
        return echoQuestion(query, RCODE.FORMERR, into);
      case 'unproven':
        return this.#answerUnproven(query, verdict, into);
      case 'unfit':
        return this.#answerUnfit(query, verdict, now, into);
      case 'good':
        return this.#answerSigned(verdict, into, limit, plain);
    }
  }

  counters(): Counters {
    const { transfers, updates } = this.#context;
    return { ...this.#tally.read(), ...transfers.counters(), ...updates.counters() };
  }

  #requester({ address }: DnsClient): Requester {
    return { address, key: this.#signature?.secret.name };
  }

  #startTransfer(request: TransferRequest): TransferOutcome {
    try {
      return this.#context.transfers.answer(request);
    } catch (error) {
      if (error instanceof WireError) return { rcode: RCODE.FORMERR };
      throw error;
    }
  }

  /** RFC 8945 §5.3: what is signed well is answered signed, now or later. */
  #answerSigned({ secret, tsig }: Verdict & { kind: 'good' }, into: Buffer, limit: number, plain: PlainAnswer): number {
    this.#tally.add('tsig.good');
    const signer = new TsigSigner(secret, tsig.mac);
    this.#signature = { secret, signer };
    try {
      const length = plain(Math.min(limit, into.length) - signer.size, (reply) => this.#sign(signer, reply));
      return length === 0 ? 0 : signer.sign(into, length, this.#now());
    } finally {
      this.#signature = undefined;
    }
  }

  #sign(signer: TsigSigner, reply: Uint8Array): Uint8Array {
    const bytes = Buffer.alloc(reply.length + signer.size);
    bytes.set(reply);
    return bytes.subarray(0, signer.sign(bytes, reply.length, this.#now()));
  }

  /** Neither key nor MAC can be trusted: NOTAUTH, without a MAC (RFC 8945 §5.2.1, §5.2.2). */
  #answerUnproven(query: DnsQuery, { tsig, error }: Verdict & { kind: 'unproven' }, into: Buffer): number {
    this.#tally.add(error === TSIG_ERROR.BADKEY ? 'tsig.badkey' : 'tsig.badsig');
    const length = echoQuestion(query, RCODE.NOTAUTH, into);
    return length + unsignedFaultSize(tsig) > into.length ? length : writeUnsignedFault(tsig, error, into, length);
  }

  /** The key is right: NOTAUTH is signed by it (RFC 8945 §5.2.3, §5.2.4). */
  #answerUnfit(
    query: DnsQuery,
    { tsig, secret, error }: Verdict & { kind: 'unfit' },
    now: number,
    into: Buffer,
  ): number {
    this.#tally.add(error === TSIG_ERROR.BADTIME ? 'tsig.badtime' : 'tsig.badtrunc');
    const length = echoQuestion(query, RCODE.NOTAUTH, into);
    if (error !== TSIG_ERROR.BADTIME) return new TsigSigner(secret, tsig.mac, { error }).sign(into, length, now);
    const other = Buffer.alloc(6);
    other.writeUIntBE(now, 0, 6);
    return new TsigSigner(secret, tsig.mac, { error, timeSigned: tsig.timeSigned, other }).sign(into, length, now);
  }

  #now(): number {
    return Math.floor(this.#context.clock.now() / 1000);
  }
}

/** The header and the question, or the zone, with an rcode: as much as an answer without records says. */
function echoQuestion({ bytes, questionEnd }: DnsQuery, rcode: number, into: Buffer): number {
  into.fill(0, 0, HEADER);
  into.set(bytes.subarray(0, 2));
  // QR set; opcode and RD as they came
  into[2] = 0x80 | ((bytes[2] ?? 0) & 0x79);
  into[3] = rcode;
  into[4] = bytes[4] ?? 0;
  into[5] = bytes[5] ?? 0;
  into.set(bytes.subarray(HEADER, questionEnd), HEADER);
  return questionEnd;
}

function isStream(client: DnsClient): client is StreamClient {
  return 'open' in client;
}
