import assert from 'node:assert/strict';
import { formatMac, parseMac } from '../../src/addr/mac.ts';
import { formatIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { rangeContains, rangeSize } from '../../src/addr/range.ts';
import type { Plan, Subnet } from '../../src/plan/plan.ts';
import { Dice } from './dice.ts';
import { DhcpRack, type Answer } from './dhcp-rack.ts';
import { macOf } from './machine.ts';
import {
  ACK,
  DECLINE,
  DISCOVER,
  NAK,
  OFFER,
  quad,
  RELEASE,
  REQUEST,
  seconds,
  writePacket,
  type Words,
} from './naive-packet.ts';
import { ip4, RACK, testPlan, type PlanWords } from './test-plan.ts';

const CLIENTS = 200;
/** Longer than any lease below and than the quarantine of a declined address. */
const EVERYTHING_ENDS = 700;

/** What a client may rightly believe: it has `address` until `until`, in milliseconds of its clock. */
interface Belief {
  readonly address: string;
  readonly until: number;
}

function macs(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => macOf(first + i));
}

function keptHosts(first: number, last: number): { name: string; macs: string[] }[] {
  return macs(first, last).map((mac, i) => ({ name: `kept${first + i}`, macs: [mac] }));
}

/** Ranges that overlap in part, fewer addresses than clients, hosts of every kind that come and go. */
const PLANS: readonly PlanWords[] = [
  { subnets: [{ dynamic: '192.168.127.10-192.168.127.99', lease: 120 }], hosts: keptHosts(1, 12) },
  { subnets: [{ dynamic: '192.168.127.40-192.168.127.129', lease: 60 }], hosts: keptHosts(5, 30) },
  {
    subnets: [{ dynamic: '192.168.127.10-192.168.127.60', router: '192.168.127.33', lease: 300 }],
    hosts: [
      { name: 'in-dynamic', macs: macs(20, 21), address: '192.168.127.20' },
      { name: 'in-static', macs: macs(1, 2), address: '192.168.127.225' },
      { name: 'in-neither', macs: macs(22, 22), address: '192.168.127.5' },
      ...keptHosts(3, 6),
    ],
  },
  {
    subnets: [
      { dynamic: '192.168.127.1-192.168.127.80', static: null, lease: 90 },
      { cidr: '10.0.7.0/24', interface: null, rack: null, static: null, dynamic: '10.0.7.1-10.0.7.20', lease: 60 },
    ],
    hosts: [{ name: 'moved', macs: macs(3, 4), address: '192.168.127.41' }],
  },
];

/** Two hundred clients, good and bad, a rack that is reloaded, restarted and let down by its disk, and what must hold whatever they do. */
export class LeaseWorld {
  readonly rack: DhcpRack;
  readonly acked = { leases: 0, refused: 0, unwritten: 0 };
  readonly #dice: Dice;
  readonly #beliefs = new Map<string, Belief>();
  /** The other way round: who was last promised an address. */
  readonly #promised = new Map<string, string>();
  readonly #offers = new Map<string, string>();
  #plan: Plan;

  constructor(seed: number) {
    this.#dice = new Dice(seed);
    this.#plan = testPlan(PLANS[0]);
    this.rack = new DhcpRack(this.#plan);
  }

  /** One thing that happens. Throws when a promise is broken. */
  step(): void {
    const dice = this.#dice;
    const kind = dice.below(1000);
    if (kind < 8) this.#reload();
    else if (kind < 10) this.rack.restart(this.#plan);
    else if (kind < 150) this.rack.time.pass(dice.pick([100, 900, 1000, 5000, 30_000, 61_000]), 'milliseconds');
    else this.#talk();
    this.rack.told.length = 0;
    this.rack.trace.length = 0;
    this.rack.ended.length = 0;
  }

  /** Every promise that still runs is on disk and known to the rack. */
  checkPromises(): void {
    const now = this.rack.time.now();
    for (const [mac, { address, until }] of this.#beliefs) {
      if (until <= now) continue;
      assert.equal(this.#promised.get(address), mac, `${address} is promised to ${mac}`);
      this.#checkWritten(mac, address, until);
      assert.equal(
        this.rack.leaseTable.get(ip4(address))?.mac,
        parseMac(mac),
        `the lease table has ${address} of ${mac}`,
      );
    }
  }

  /** When all has run out, every address of every dynamic range can be given again, and only hosts have leases. */
  checkNothingLeaked(): void {
    this.rack.time.pass(EVERYTHING_ENDS);
    const left = [...this.rack.leaseTable.values()].map(({ mac }) => formatMac(mac));
    for (const mac of left) assert.ok(this.#isHost(mac), `a lease of ${mac} did not end`);
    for (const subnet of this.#plan.subnets) this.#checkWholeRange(subnet);
    this.rack.time.pass(61);
  }

  #checkWholeRange(subnet: Subnet): void {
    const range = subnet.dynamic;
    if (!range) return;
    const giaddr = formatIp4((subnet.cidr.network + 250) as Ip4);
    const given = new Set<string>();
    for (let n = 0; n <= rangeSize(range); n++) {
      const packet = writePacket({ type: DISCOVER, mac: macOf(100_000 + n), giaddr });
      const [offer] = this.rack.exchange([packet], RACK);
      if (offer) given.add(offer.yiaddr);
    }
    const held = [...this.#nobodys(), ...this.#plan.hosts.flatMap(({ address }) => address ?? [])];
    const expected = rangeSize(range) - new Set(held.filter((address) => rangeContains(range, address))).size;
    assert.equal(given.size, expected, 'addresses that can be given when all are free');
  }

  #reload(): void {
    this.#plan = testPlan(this.#dice.pick(PLANS));
    this.rack.apply(this.#plan);
  }

  #talk(): void {
    const speakers = new Set(
      Array.from({ length: 1 + this.#dice.below(4) }, () => macOf(1 + this.#dice.below(CLIENTS))),
    );
    const packets = Array.from(speakers, (mac) => this.#say(mac));
    this.rack.store.failing = this.#dice.chance(3);
    const answers = this.rack.exchange(packets, RACK);
    for (const answer of answers) this.#hear(answer);
    if (this.rack.store.failing) this.acked.unwritten++;
    this.rack.store.failing = false;
  }

  #say(mac: string): Uint8Array {
    const dice = this.#dice;
    const own = this.#beliefs.get(mac)?.address ?? this.#anyAddress();
    const offered = this.#offers.get(mac) ?? this.#anyAddress();
    const lie = this.#anyAddress();
    const kind = dice.below(100);
    if (kind < 25) return this.#packet(mac, DISCOVER, dice.chance(40) ? { wants: dice.pick([own, lie]) } : {});
    if (kind < 60) return this.#packet(mac, REQUEST, { server: RACK, wants: dice.chance(90) ? offered : lie });
    if (kind < 64) return this.#packet(mac, REQUEST, { server: '192.168.127.2', wants: lie });
    if (kind < 76) return this.#packet(mac, REQUEST, { ciaddr: dice.chance(90) ? own : lie });
    if (kind < 85) return this.#packet(mac, REQUEST, { wants: dice.chance(80) ? own : lie });
    const gives = dice.chance(70) ? own : lie;
    // From here on a client has given up what it names, whatever the rack makes of it
    if (this.#beliefs.get(mac)?.address === gives) this.#forget(mac);
    if (kind < 96) return this.#packet(mac, RELEASE, { ciaddr: gives });
    return this.#packet(mac, DECLINE, { server: RACK, wants: gives });
  }

  #packet(
    mac: string,
    type: number,
    words: { readonly wants?: string; readonly server?: string; readonly ciaddr?: string },
  ): Uint8Array {
    const options: [number, number[]][] = [];
    if (words.server !== undefined) options.push([54, quad(words.server)]);
    if (words.wants !== undefined) options.push([50, quad(words.wants)]);
    const packet: Words = { type, mac, options };
    if (words.ciaddr !== undefined) return writePacket({ ...packet, ciaddr: words.ciaddr });
    return writePacket(this.#dice.chance(8) ? { ...packet, giaddr: '10.0.7.250' } : packet);
  }

  #hear(answer: Answer): void {
    const { mac, yiaddr, type } = answer;
    if (type === NAK) {
      this.acked.refused++;
      this.#forget(mac);
      return;
    }
    assert.ok(type === OFFER || type === ACK);
    this.#checkGivable(mac, yiaddr);
    if (type === OFFER) {
      this.#offers.set(mac, yiaddr);
      return;
    }
    const now = this.rack.time.now();
    const holder = this.#promised.get(yiaddr);
    const held = holder === undefined || holder === mac ? undefined : this.#beliefs.get(holder);
    const isFree = held?.address !== yiaddr || held.until <= now;
    assert.ok(isFree, `${yiaddr} goes to ${mac}, but ${holder} has it`);
    const until = now + seconds(answer.options.get(51)) * 1000;
    this.#beliefs.set(mac, { address: yiaddr, until });
    this.#promised.set(yiaddr, mac);
    this.acked.leases++;
    this.#checkWritten(mac, yiaddr, until);
  }

  #checkWritten(mac: string, address: string, until: number): void {
    const row = this.rack.store.rows.get(ip4(address));
    assert.ok(row, `${address} is on disk as the lease of ${mac}`);
    assert.equal(row.client, parseMac(mac), `${address} is on disk as the lease of ${mac}`);
    assert.ok(row.expires * 1000 >= until, `${address} is on disk for as long as ${mac} was told`);
  }

  #checkGivable(mac: string, text: string): void {
    const address = ip4(text);
    assert.ok(!this.#nobodys().includes(address), `${text} is given to nobody, and yet to ${mac}`);
    const host = this.#plan.hosts.find(({ macs: cards }) => cards.some((card) => macText(card) === mac));
    if (host?.address === address) return;
    const ranges = this.#plan.subnets.flatMap((subnet) => (host ? [subnet.dynamic, subnet.static] : [subnet.dynamic]));
    assert.ok(
      ranges.some((range) => range && rangeContains(range, address)),
      `${text} is in no range of ${mac}`,
    );
    assert.ok(!this.#plan.hosts.some((other) => other.address === address), `${text} is a host's, and not ${mac}'s`);
  }

  #nobodys(): Ip4[] {
    const nobodys = this.#plan.subnets.flatMap(({ rackAddress, router }) => [rackAddress, router]);
    return nobodys.filter((address) => address !== undefined);
  }

  #isHost(mac: string): boolean {
    return this.#plan.hosts.some(({ macs: cards }) => cards.some((card) => macText(card) === mac));
  }

  #forget(mac: string): void {
    const belief = this.#beliefs.get(mac);
    if (belief && this.#promised.get(belief.address) === mac) this.#promised.delete(belief.address);
    this.#beliefs.delete(mac);
  }

  #anyAddress(): string {
    const promised = [...this.#promised.keys()];
    if (promised.length > 0 && this.#dice.chance(40)) return this.#dice.pick(promised);
    if (this.#dice.chance(10)) return `10.0.7.${1 + this.#dice.below(30)}`;
    return `192.168.127.${this.#dice.below(256)}`;
  }
}

function macText(mac: number): string {
  const digits = mac.toString(16).padStart(12, '0');
  return digits.replaceAll(/(..)(?!$)/g, '$1:');
}
