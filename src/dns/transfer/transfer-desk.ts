import type { AclEntry } from '../../plan/plan.ts';
import type { Counters } from '../../service/letters.ts';
import { Tally } from '../../service/tally.ts';
import { formatIp4, type Ip4 } from '../../addr/ip4.ts';
import type { EventSink } from '../../service/service.ts';
import { FRAME } from '../../wire/dns/message-frames.ts';
import { keyText, type NameKey } from '../../wire/dns/name.ts';
import { HEADER, type DnsQuery } from '../../wire/dns/query.ts';
import { RCODE } from '../../wire/dns/rcode.ts';
import { TYPE } from '../../wire/dns/record-type.ts';
import type { ResourceRecord } from '../../wire/dns/resource-record.ts';
import { readRecords } from '../../wire/dns/update.ts';
import { changeSize, isLater, serialOf, type ZoneChange } from '../../zones/zone-change.ts';
import { isAllowed, type Requester } from '../client-acl.ts';
import type { StreamClient } from '../stream/stream-client.ts';
import type { TsigSigner } from '../tsig/tsig-signer.ts';
import { snapshotRecords, type PublishedZone } from '../zone-publisher.ts';
import { MessageWriter } from './message-writer.ts';
import { SharedEncoding } from './shared-encoding.ts';
import type { TransferPump } from './transfer-pump.ts';

/** Transfers under way at once: each holds a connection, and takes its share of the thread. */
const MOST_TRANSFERS = 32;
/** Those to one address: a secondary that is slow with many must not shut out the others. */
const MOST_A_CLIENT = 8;
/** A change that fits into a message is worth sending whatever the size of its zone. */
const ONE_MESSAGE = 16_384;
/** Encodings that are kept for the next who asks for the same, as long as there are transfers. */
const MOST_ENCODINGS = 8;

/** What a transfer desk asks of the zones. */
export interface TransferZones {
  /** Whether a zone of that origin is served. */
  has(origin: NameKey): boolean;
  /** Undefined while it is not known yet what was published of it. */
  published(origin: NameKey): PublishedZone | undefined;
  transferAcl(origin: NameKey): readonly AclEntry[];
}

/** A question for a zone, or for what changed in it. */
export interface TransferRequest {
  readonly query: DnsQuery;
  readonly requester: Requester;
  /** Absent: it came by UDP. */
  readonly client: StreamClient | undefined;
  readonly signer: TsigSigner | undefined;
  /** Octets of a reply by UDP, at most. */
  readonly limit: number;
}

/** What is to be answered at once: an rcode without records, or a message; or nothing, as it follows as a transfer. */
export type TransferOutcome = { readonly rcode: number } | { readonly message: Buffer } | 'under way';

interface Kept {
  readonly serial: number;
  readonly encoding: SharedEncoding;
}

/** Answers AXFR (RFC 5936) and IXFR (RFC 1995). */
export class TransferDesk {
  readonly #zones: TransferZones;
  readonly #pump: TransferPump;
  readonly #events: EventSink;
  readonly #tally = new Tally();
  /** By zone and first serial: of those that several secondaries ask for one after the other. */
  readonly #encodings = new Map<string, Kept>();
  readonly #room = Buffer.alloc(FRAME + 4096);
  /** Transfers under way, by who gets them. */
  readonly #clients = new Map<Ip4, number>();

  constructor(zones: TransferZones, pump: TransferPump, events: EventSink) {
    this.#zones = zones;
    this.#pump = pump;
    this.#events = events;
  }

  answer(request: TransferRequest): TransferOutcome {
    const outcome = this.#decide(request);
    if (outcome !== 'under way' && 'rcode' in outcome) this.#tally.add('transfer.refused');
    return outcome;
  }

  counters(): Counters {
    return { ...this.#tally.read(), 'transfer.running': this.#pump.running };
  }

  #decide(request: TransferRequest): TransferOutcome {
    const { query, requester, client } = request;
    // RFC 5936 §2.2.1: for a zone this server has not
    if (!this.#zones.has(query.key)) return { rcode: RCODE.NOTAUTH };
    if (!isAllowed(this.#zones.transferAcl(query.key), requester)) return { rcode: RCODE.REFUSED };
    const published = this.#zones.published(query.key);
    if (!published) return { rcode: RCODE.SERVFAIL };
    if (query.type === TYPE.IXFR) return this.#answerIxfr(request, published);
    // RFC 5936 §4.2: a zone is not sent by UDP
    if (!client) return { rcode: RCODE.REFUSED };
    return this.#start(request, published, undefined);
  }

  #answerIxfr(request: TransferRequest, published: PublishedZone): TransferOutcome {
    const { query, client, limit } = request;
    const has = clientSerial(query);
    if (has === undefined) return { rcode: RCODE.FORMERR };
    const { soa, history, size } = published;
    // RFC 1995 §2: whoever is as far as this, or farther, gets the SOA alone
    if (!isLater(serialOf(soa), has)) return this.#whole(query, [soa], limit) ?? { rcode: RCODE.SERVFAIL };
    const change = history.since(has);
    if (client)
      return this.#start(
        request,
        published,
        change && changeSize(change) <= Math.max(size, ONE_MESSAGE) ? change : undefined,
      );
    // RFC 1995 §2: by UDP either all of it, or the SOA alone, which says "ask again by TCP"
    const inFull = change && this.#whole(query, changeRecords(change), limit);
    if (!inFull) this.#tally.add('transfer.ixfr-to-tcp');
    return inFull ?? this.#whole(query, [soa], limit) ?? { rcode: RCODE.SERVFAIL };
  }

  /** One message with these records; undefined when it would be too large. */
  #whole(
    { header, bytes, questionEnd }: DnsQuery,
    records: Iterable<ResourceRecord>,
    limit: number,
  ): TransferOutcome | undefined {
    const writer = new MessageWriter(this.#room, Math.min(limit, this.#room.length - FRAME));
    const question = Buffer.from(bytes.subarray(HEADER, questionEnd));
    writer.echo(header.id, question);
    for (const record of records) if (!writer.add(record)) return undefined;
    this.#tally.add('transfer.ixfr');
    return { message: Buffer.from(writer.finish().subarray(FRAME)) };
  }

  /** `change`: what is sent; absent: the zone. */
  #start(request: TransferRequest, published: PublishedZone, change: ZoneChange | undefined): TransferOutcome {
    const { query, client, requester, signer } = request;
    const { address } = requester;
    const own = this.#clients.get(address) ?? 0;
    if (!client || this.#pump.running >= MOST_TRANSFERS || own >= MOST_A_CLIENT) return { rcode: RCODE.SERVFAIL };
    this.#clients.set(address, own + 1);
    const serial = serialOf(published.soa);
    // The query is another one when the transfer ends
    const [zone, to] = [keyText(query.key), formatIp4(address)];
    this.#tally.add(change ? 'transfer.ixfr' : 'transfer.axfr');
    this.#pump.start({
      encoding: this.#encodingOf(published, change, serial),
      sink: client.open(),
      id: query.header.id,
      question: Buffer.from(query.bytes.subarray(HEADER, query.questionEnd)),
      signer,
      ended: (isWhole) => {
        this.#tally.add(isWhole ? 'transfer.done' : 'transfer.broken');
        this.#forget(address);
        // They take as much memory as the zones
        if (this.#pump.running === 0) this.#encodings.clear();
        // What changed is told often; the whole zone, seldom
        if (isWhole && !change) this.#events.emit({ kind: 'zone.transferred', zone, to, serial });
      },
    });
    return 'under way';
  }

  #forget(address: Ip4): void {
    const left = (this.#clients.get(address) ?? 0) - 1;
    if (left > 0) this.#clients.set(address, left);
    else this.#clients.delete(address);
  }

  /** Who asks for the same as another gets the same bytes. */
  #encodingOf(published: PublishedZone, change: ZoneChange | undefined, serial: number): SharedEncoding {
    const { origin } = published.zone;
    const name = `${origin} ${change ? serialOf(change.from) : 'whole'}`;
    const kept = this.#encodings.get(name);
    if (kept?.serial === serial) return kept.encoding;
    const records = change ? changeRecords(change) : zoneRecords(published);
    const encoding = new SharedEncoding(origin, records);
    this.#encodings.delete(name);
    this.#encodings.set(name, { serial, encoding });
    const [oldest] = this.#encodings.keys();
    if (this.#encodings.size > MOST_ENCODINGS && oldest !== undefined) this.#encodings.delete(oldest);
    return encoding;
  }
}

/** The serial that the asker has: that of the SOA in the authority section (RFC 1995 §3). */
function clientSerial({ bytes, questionEnd, key }: DnsQuery): number | undefined {
  const [answers, authorities] = [readUint16(bytes, 6), readUint16(bytes, 8)];
  // A query has no answers; what stood there would have to be read first, however much it is
  if (answers > 0) return undefined;
  const [soa] = readRecords(bytes, questionEnd, Math.min(authorities, 1)).records;
  return soa?.type === TYPE.SOA && soa.owner === key && soa.data.length >= 22 ? serialOf(soa) : undefined;
}

/** RFC 5936 §2.2: the SOA, all else, the SOA. The snapshot is taken now, the records are made when they are sent. */
function zoneRecords({ zone, soa }: PublishedZone): Iterable<ResourceRecord> {
  const snapshot = zone.snapshot();
  return (function* () {
    yield soa;
    yield* snapshotRecords(snapshot);
    yield soa;
  })();
}

/** RFC 1995 §4: the SOA of now, that of before with what went, that of now with what came, and the SOA of now. */
function* changeRecords({ from, to, removed, added }: ZoneChange): Generator<ResourceRecord> {
  yield to;
  yield from;
  yield* removed;
  yield to;
  yield* added;
  yield to;
}

function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
