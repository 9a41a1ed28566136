import assert from 'node:assert/strict';
import { formatMac, parseMac } from '../../src/addr/mac.ts';

import { formatIp4 } from '../../src/addr/ip4.ts';
import { TimerHeap } from '../../src/system/timer-heap.ts';
import { DayMachine, type Heard } from './day-machine.ts';
import { becomesHost, dayPlan, HOME, hostOf, isSteady, MACHINES, sizeOf, WIRES, type Wire } from './day-plan.ts';
import { DayPromises } from './day-promises.ts';
import { DhcpRack } from './dhcp-rack.ts';
import { Dice } from './dice.ts';
import { macOf } from './machine.ts';
import { ACK, DISCOVER, NAK, OFFER, seconds, writePacket } from './naive-packet.ts';
import { ip4, RACK } from './test-plan.ts';

const QUARANTINE = 600_000;
/** Longer than any lease and any quarantine. */
const EVERYTHING_ENDS = 3 * 3600;
/** The machines are switched on one after another. */
const MORNING_SECONDS = 900;

/** A rack with its machines; a tick is a second in which each machine whose time has come says one thing. */
export class RackDay {
  readonly rack = new DhcpRack(dayPlan('morning'));
  /** How often each thing came about. */
  readonly counts = new Map<string, number>();
  readonly #dice: Dice;
  readonly #due = new TimerHeap<DayMachine>();
  readonly #wires = new Map(WIRES.map((wire) => [wire, new DayPromises(wire)]));
  /** The address that a host was first given at home. */
  readonly #steady = new Map<string, string>();
  #when: 'morning' | 'evening' = 'morning';
  #second = 0;
  #restarted = -10;

  constructor(seed: number) {
    this.#dice = new Dice(seed);
    for (let n = 0; n < MACHINES; n++) {
      const machine = new DayMachine(n, this.#anyWire(n), this.#dice);
      this.#due.push(this.#dice.below(MORNING_SECONDS), machine);
    }
  }

  tick(): void {
    this.#second++;
    this.rack.time.pass(1);
    const batch: { machine: DayMachine; packet: Uint8Array }[] = [];
    for (let machine = this.#due.popDue(this.#second); machine; machine = this.#due.popDue(this.#second)) {
      const packet = this.#turn(machine);
      if (packet) batch.push({ machine, packet });
    }
    this.#exchange(batch);
    this.rack.told.length = 0;
    this.rack.ended.length = 0;
    this.rack.trace.length = 0;
    this.rack.store.commits.length = 0;
  }

  /** The thread starts anew: offers and quarantines are forgotten, leases are not. */
  restart(): void {
    this.rack.restart(dayPlan(this.#when));
    for (const promises of this.#wires.values()) promises.rackRestarted();
    this.#restarted = this.#second;
  }

  /** Fifty machines become hosts. */
  reload(): void {
    this.#when = 'evening';
    this.rack.apply(dayPlan(this.#when));
    for (let n = 0; n < MACHINES; n++) if (becomesHost(n)) this.#promisesOn(HOME).mayMove(macOf(n));
  }

  /** All machines vanish at once: after a while every address can be given again, and only hosts have leases. */
  checkNothingLeaked(): void {
    this.rack.time.pass(EVERYTHING_ENDS);
    const hosts = new Set(
      Array.from({ length: MACHINES }, (_, n) => n)
        .filter((n) => hostOf(n, this.#when))
        .map(macOf),
    );
    for (const { mac, address } of this.rack.leaseTable.values())
      assert.ok(hosts.has(formatMac(mac)), `the lease ${formatIp4(address)} of ${formatMac(mac)} did not end`);
    let stranger = 100_000;
    for (const wire of WIRES) {
      const given = new Set<string>();
      for (let i = 0; i <= sizeOf(wire); i++) {
        const words = { type: DISCOVER, mac: macOf(stranger++), ...(wire.giaddr && { giaddr: wire.giaddr }) };
        const [offer] = this.rack.exchange([writePacket(words)], wire.giaddr ? RACK : undefined);
        if (offer) given.add(offer.yiaddr);
      }
      assert.equal(given.size, sizeOf(wire), `addresses that can be given on ${wire.ranges.join(' ')}`);
    }
  }

  /** What this machine says now, if anything; when it says nothing its next turn is set. */
  #turn(machine: DayMachine): Uint8Array | undefined {
    const { packet, act, after } = machine.turn();
    if (act) this.#count(act);
    if (act === 'move') machine.plugInto(this.#anyWire(MACHINES));
    if (act === 'release' || act === 'decline') this.#giveUp(machine, act);
    if (after !== undefined) this.#due.push(this.#second + after, machine);
    return packet;
  }

  #giveUp(machine: DayMachine, act: 'release' | 'decline'): void {
    const promises = this.#promisesOn(machine.wire);
    const address = promises.of(machine.mac, this.#now);
    promises.forget(machine.mac, this.#now);
    if (act === 'release' || address === undefined) return;
    this.#steady.delete(machine.mac);
    promises.quarantine(address, this.#now + QUARANTINE);
  }

  #exchange(batch: readonly { machine: DayMachine; packet: Uint8Array }[]): void {
    if (batch.length === 0) return;
    const refusedBefore = this.rack.count('refused.decline-limit');
    const answers = new Map(
      this.rack
        .exchange(
          batch.map(({ packet }) => packet),
          RACK,
        )
        .map((answer) => [answer.mac, answer]),
    );
    assert.equal(this.rack.count('refused.decline-limit'), refusedBefore, 'no machine declines too much');
    for (const { machine } of batch) {
      if (!machine.isWaiting) continue;
      const answer = answers.get(machine.mac);
      this.#judge(machine, answer);
      this.#due.push(this.#second + machine.hear(answer), machine);
    }
  }

  #judge(machine: DayMachine, answer: Heard | undefined): void {
    const promises = this.#promisesOn(machine.wire);
    const own = promises.of(machine.mac, this.#now);
    if (!answer && process.env['DBG'])
      console.log(
        machine,
        this.rack.told.filter(({ mac }) => mac === machine.mac),
      );
    this.#count(`${machine.state} ${answer ? (NAMES[answer.type] ?? '') : 'silence'}`);
    if (answer?.type === OFFER) promises.offer(machine.mac, answer.yiaddr, this.#now);
    else if (answer?.type === ACK) this.#acknowledged(machine, answer, promises);
    else if (own !== undefined && machine.isAfter(own)) {
      assert.fail(`${machine.mac} has ${own}, and its ${machine.state} came to ${answer ? 'a NAK' : 'nothing'}`);
    } else if (!answer && machine.state === 'discovering') {
      // A host's address that it declined itself is nobody's for a while, not even the host's
      if (machine.fixed !== undefined && promises.isDeclined(machine.fixed, this.#now)) return;
      const reasons = promises.occupied(this.#now);
      assert.ok(reasons >= sizeOf(machine.wire), `silence for ${machine.mac}, and ${reasons} addresses are taken`);
    } else if (machine.state === 'selecting') {
      const excused = this.#second - this.#restarted < 10;
      assert.ok(excused, `${machine.mac} did not get what it was offered a second ago`);
    }
  }

  #acknowledged(machine: DayMachine, { yiaddr, options }: Heard, promises: DayPromises): void {
    if (machine.state === 'informing') return;
    const { mac, n } = machine;
    const until = this.#now + seconds(options.get(51)) * 1000;
    promises.promise(mac, yiaddr, until, this.#now);
    machine.checkOneAddressABoot(yiaddr);
    const row = this.rack.store.rows.get(ip4(yiaddr));
    assert.ok(row, `${yiaddr} is on disk as the lease of ${mac}`);
    assert.equal(row.client, parseMac(mac), `${yiaddr} is on disk as the lease of ${mac}`);
    assert.ok(row.expires * 1000 >= until, `${yiaddr} is on disk for as long as ${mac} was told`);
    assert.equal(row.name, hostOf(n, this.#when) ?? machine.ownName, `the name of ${mac}`);
    if (machine.wire !== HOME || !isSteady(n)) return;
    const first = this.#steady.get(mac) ?? yiaddr;
    assert.equal(yiaddr, machine.fixed ?? first, `the address of host ${n}`);
    this.#steady.set(mac, yiaddr);
  }

  #promisesOn(wire: Wire): DayPromises {
    const promises = this.#wires.get(wire);
    if (!promises) throw new Error('no such wire');
    return promises;
  }

  /** Hosts begin at home. */
  #anyWire(n: number): Wire {
    if (isSteady(n)) return HOME;
    let left = this.#dice.below(100);
    for (const wire of WIRES) {
      left -= wire.share;
      if (left < 0) return wire;
    }
    return HOME;
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  get #now(): number {
    return this.rack.time.now();
  }
}

const NAMES: Readonly<Record<number, string>> = { [OFFER]: 'OFFER', [ACK]: 'ACK', [NAK]: 'NAK' };
