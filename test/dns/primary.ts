import assert from 'node:assert/strict';

import { decode, encode, type Answer } from 'dns-packet';

import { Authority } from '../../src/dns/authority.ts';
import { AddressSet } from '../../src/dns/address-set.ts';
import { Responder } from '../../src/dns/respond.ts';
import { ServedZones } from '../../src/dns/served-zones.ts';
import { TcpServer } from '../../src/dns/stream/tcp-server.ts';
import { Tally } from '../../src/dns/tally.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Outbound } from '../../src/system/datagram.ts';
import type { EventBody } from '../../src/timeline/event.ts';
import { nameKey } from '../../src/wire/dns/name.ts';
import { expandData } from '../../src/wire/dns/rdata-names.ts';
import { openZoneStore } from '../../src/zones/open-zone-store.ts';
import { HandTime } from '../dhcp/hand-time.ts';
import { ip4, leaseOf, planOf } from './plan-of.ts';
import { framed, MemoryAcceptor, type MemoryStream } from './stream/memory-streams.ts';

export const SECONDARY = '192.0.2.9';
const LISTENER = 7;
const NOBODY = new AddressSet([]);

/** A plan of one subnet, whose zones the secondary may have, and is told of. */
export function primaryPlan(hosts: readonly string[] = ['node1 192.0.2.5'], dns: Partial<Plan['dns']> = {}): Plan {
  const plan = planOf({ subnets: ['192.0.2.0/24 rack.example 192.0.2.1'], hosts: [...hosts] });
  const address = ip4(SECONDARY);
  return {
    ...plan,
    dns: {
      ...plan.dns,
      transfer: [{ cidr: { network: address, prefix: 32 } }],
      notify: [{ address, port: 53 }],
      ...dns,
    },
  };
}

interface PrimaryWishes {
  readonly file?: string;
  readonly open?: typeof openZoneStore;
}

/** All of a primary but its sockets. */
export class Primary {
  /** Each begins at the same time: for the second of two the clock was set back. */
  readonly time = new HandTime();
  readonly events: EventBody[] = [];
  readonly notified: { readonly bytes: Buffer; readonly to: Outbound }[] = [];
  readonly zones: ServedZones;
  readonly authority: Authority;
  readonly responder: Responder;
  readonly acceptor = new MemoryAcceptor();

  /** `file`: where zones are kept. `open`: opens it. The leases of before are known at once. */
  constructor(plan: Plan, { file = ':memory:', open = openZoneStore }: PrimaryWishes = {}) {
    const { time } = this;
    this.authority = new Authority(
      {
        loop: time,
        clock: time,
        events: { emit: (body) => void this.events.push(body) },
        openStore: () => open(file, time.now()),
        zone: (origin) => this.zones.get(origin),
        readAgain: (origins) => this.zones.readAgain(origins),
        sendNotify: (bytes, to) => void this.notified.push({ bytes: Buffer.from(bytes), to }),
        checkData: (type, data) => void expandData(Buffer.from(data, 'latin1'), type, 0, data.length),
      },
      plan,
    );
    this.zones = new ServedZones({ loop: time, clock: time, publisher: this.authority });
    const settings = { nsid: '', recursion: NOBODY, unlimited: NOBODY };
    this.responder = new Responder({ clock: time, tally: new Tally(), secretOf }, settings, this.zones);
    this.responder.desk = this.authority.desk;
    const desk = {
      handle: (message: Buffer, client: Parameters<Responder['respond']>[1], into: Buffer) =>
        this.responder.respond(message, client, into),
    };
    new TcpServer({ loop: time, clock: time, streams: this.acceptor, desk }).listen(LISTENER);
    this.zones.apply(plan);
  }

  /** A machine has an address and a name. */
  lease(line: string): void {
    this.zones.learn([leaseOf(line)], []);
    this.authority.leasesKnown();
  }

  serial(zone = 'rack.example'): number {
    return this.zones.get(nameKey(zone))?.serial ?? Number.NaN;
  }

  connect(from = SECONDARY): MemoryStream {
    this.acceptor.come(from);
    this.time.ready(LISTENER);
    return this.acceptor.streams.at(-1) ?? assert.fail('nobody was let in');
  }

  /** The messages that answer one by TCP. */
  ask(message: Uint8Array, from = SECONDARY): Buffer[] {
    const stream = this.connect(from);
    stream.arrive(framed(message));
    this.time.pass(1, 'milliseconds');
    return stream.messages;
  }

  /** The reply to a message by UDP. */
  askUdp(message: Uint8Array, from = SECONDARY): Buffer {
    const into = Buffer.alloc(1232);
    const client = { address: ip4(from), port: 4000, later: () => () => assert.fail('nothing comes later') };
    return into.subarray(0, this.responder.respond(message, client, into));
  }

  close(): void {
    this.zones.close();
    this.authority.close();
  }
}

function secretOf(): Uint8Array {
  return new Uint8Array(16);
}

export function axfrQuery(zone = 'rack.example'): Buffer {
  return encode({ type: 'query', id: 77, questions: [{ name: zone, type: 'AXFR', class: 'IN' }] });
}

export function ixfrQuery(serial: number, zone = 'rack.example'): Buffer {
  const soa: Answer = {
    type: 'SOA',
    name: zone,
    ttl: 0,
    data: { mname: 'a', rname: 'b', serial, refresh: 0, retry: 0, expire: 0, minimum: 0 },
  };
  return encode({
    type: 'query',
    id: 78,
    questions: [{ name: zone, type: 'IXFR', class: 'IN' }],
    authorities: [soa],
  });
}

/** The records of answers, as an independent decoder reads them: "node1.rack.example A 192.0.2.5", "rack.example SOA 7". */
export function recordLines(messages: readonly Buffer[]): string[] {
  return messages.flatMap((bytes) => decode(bytes).answers ?? []).map(recordLine);
}

function recordLine(record: Answer): string {
  if (record.type === 'OPT') return 'OPT';
  if (record.type === 'SOA') return `${record.name} SOA ${record.data.serial}`;
  return `${record.name} ${record.type} ${typeof record.data === 'string' ? record.data : '?'}`;
}

export function rcodeOf(bytes: Buffer | undefined): number {
  return bytes ? (bytes[3] ?? 0) & 15 : -1;
}
