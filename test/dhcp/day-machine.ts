import assert from 'node:assert/strict';

import { fixedAddress, hostName, type Wire } from './day-plan.ts';
import type { Dice } from './dice.ts';
import { macOf } from './machine.ts';
import {
  ACK,
  DECLINE,
  DISCOVER,
  INFORM,
  letters,
  OFFER,
  quad,
  RELEASE,
  REQUEST,
  seconds,
  writePacket,
  type Reply,
} from './naive-packet.ts';
import { RACK } from './test-plan.ts';

export type Heard = Pick<Reply, 'type' | 'yiaddr' | 'options'>;
type State = 'off' | 'discovering' | 'selecting' | 'rebooting' | 'renewing' | 'informing' | 'bound' | 'declining';
type Act = 'release' | 'vanish' | 'power cycle' | 'move' | 'decline';
type Options = readonly (readonly [number, readonly number[]])[];

/** What a machine does at its turn: says something, and waits for the answer unless it names its next turn itself. */
interface Turn {
  readonly packet?: Uint8Array;
  readonly act?: Act;
  /** Seconds until its next turn. */
  readonly after?: number;
}

const MINUTE = 60;
/** The programs of one netboot, each with a DORA of its own; an installed system is the last. */
const STAGES: readonly ((n: number) => Options)[] = [
  (n) => [
    [60, letters('PXEClient:Arch:00007:UNDI:003016')],
    [93, [0, 7]],
    [97, [0, ...Array.from({ length: 16 }, (_, i) => (n + i) & 255)]],
  ],
  () => [
    [60, letters('PXEClient:Arch:00007:UNDI:003016')],
    [77, letters('iPXE')],
    [93, [0, 7]],
    [175, [19, 1, 1, 39, 1, 1]],
  ],
  (n) => [[61, [255, 0, 0, 0, n >> 8, n & 255, 0, 4, 1, 2, 3]]],
];
const LAST_STAGE = STAGES.length - 1;

/** One computer through the day: what it says, by what it believes and by chance. */
export class DayMachine {
  readonly n: number;
  readonly mac: string;
  readonly fixed: string | undefined;
  state: State = 'off';
  wire: Wire;
  readonly #dice: Dice;
  readonly #netboots: boolean;
  /** What it says it is called: some would like to be a host. */
  readonly #says: string;
  #stage = 0;
  /** What it was given last, and may ask for again. */
  #address: string | undefined;
  #leaseSeconds = 0;
  #offered = '';
  #firstOfBoot: string | undefined;

  constructor(n: number, wire: Wire, dice: Dice) {
    this.n = n;
    this.mac = macOf(n);
    this.fixed = fixedAddress(n);
    this.wire = wire;
    this.#dice = dice;
    this.#netboots = dice.chance(30);
    this.#says = dice.chance(5) ? hostName(dice.below(200)) : `m${n}`;
  }

  /** The name it gets when it is no host: its own, unless that is a host's; a ROM says none. */
  get ownName(): string | undefined {
    return this.#stage < LAST_STAGE || this.#says.startsWith('host') ? undefined : this.#says;
  }

  get isWaiting(): boolean {
    return !['off', 'bound', 'declining'].includes(this.state);
  }

  /** Whether what it just said asks for this address, by name or as its record. */
  isAfter(address: string): boolean {
    if (this.state === 'discovering') return true;
    return this.state === 'selecting' ? this.#offered === address : this.#address === address;
  }

  plugInto(wire: Wire): void {
    this.wire = wire;
  }

  checkOneAddressABoot(address: string): void {
    if (this.#stage > 0 && this.#firstOfBoot !== undefined) {
      assert.equal(address, this.#firstOfBoot, `${this.mac} has one address from ROM to system`);
    }
    if (this.#stage === 0) this.#firstOfBoot = address;
  }

  turn(): Turn {
    switch (this.state) {
      case 'off':
        return this.#switchOn();
      case 'bound':
        return this.#liveOn();
      case 'declining':
        return this.#decline();
      case 'selecting':
        return {
          packet: this.#say(REQUEST, [
            [54, quad(RACK)],
            [50, quad(this.#offered)],
          ]),
        };
      case 'discovering':
      case 'rebooting':
      case 'renewing':
      case 'informing':
        return this.#discover();
    }
  }

  /** Takes the answer, or that there was none; returns the seconds until its next turn. */
  hear(answer: Heard | undefined): number {
    if (!answer) return this.#again();
    if (answer.type === OFFER) {
      this.#offered = answer.yiaddr;
      this.state = 'selecting';
      return 1;
    }
    if (answer.type !== ACK) {
      this.#address = undefined;
      this.state = 'discovering';
      return 1;
    }
    if (this.state !== 'informing') {
      this.#address = answer.yiaddr;
      this.#leaseSeconds = seconds(answer.options.get(51));
    }
    return this.#settle();
  }

  #again(): number {
    if (this.state !== 'discovering') {
      this.state = 'discovering';
      return 4;
    }
    return (3 + this.#dice.below(12)) * MINUTE;
  }

  /** On to the next program of the boot, or into the day. */
  #settle(): number {
    if (this.#stage < LAST_STAGE) {
      this.#stage++;
      this.state = 'discovering';
      return 5 + this.#dice.below(20);
    }
    const isFresh = this.state === 'selecting';
    const wasInforming = this.state === 'informing';
    this.state = isFresh && this.#dice.chance(1) ? 'declining' : 'bound';
    if (this.state === 'declining') return 1;
    // An INFORM did not prolong anything
    if (wasInforming) return 10;
    return Math.floor(this.#leaseSeconds / 2);
  }

  #switchOn(): Turn {
    this.#stage = this.#netboots ? 0 : LAST_STAGE;
    this.#firstOfBoot = undefined;
    if (this.#stage === LAST_STAGE && this.#address !== undefined && this.#dice.chance(70)) {
      this.state = 'rebooting';
      return { packet: this.#say(REQUEST, [[50, quad(this.#address)]]) };
    }
    return this.#discover();
  }

  #discover(): Turn {
    this.state = 'discovering';
    const wish = this.#address ?? `10.1.${this.#dice.below(8)}.${this.#dice.below(256)}`;
    return { packet: this.#say(DISCOVER, this.#dice.chance(50) ? [[50, quad(wish)]] : []) };
  }

  /** T1. */
  #liveOn(): Turn {
    const kind = this.#dice.below(100);
    if (kind < 72) return this.#renew();
    if (kind < 76) return this.#inform();
    if (kind < 82) return this.#release();
    this.state = 'off';
    if (kind < 89) return { act: 'vanish', after: (5 + this.#dice.below(175)) * MINUTE };
    if (kind < 96) return { act: 'power cycle', after: 20 + this.#dice.below(40) };
    return { act: 'move', after: 30 + this.#dice.below(300) };
  }

  /** By unicast, or as REBINDING, which a relay hears too. */
  #renew(): Turn {
    this.state = 'renewing';
    return { packet: this.#say(REQUEST, [], { ciaddr: this.#address ?? '', isDirect: this.#dice.chance(90) }) };
  }

  #inform(): Turn {
    this.state = 'informing';
    return { packet: this.#say(INFORM, [], { ciaddr: this.#address ?? '', isDirect: true }) };
  }

  #release(): Turn {
    this.state = 'off';
    const packet = this.#say(RELEASE, [[54, quad(RACK)]], { ciaddr: this.#address ?? '', isDirect: true });
    return { packet, act: 'release', after: (10 + this.#dice.below(110)) * MINUTE };
  }

  #decline(): Turn {
    const packet = this.#say(DECLINE, [
      [54, quad(RACK)],
      [50, quad(this.#address ?? '')],
    ]);
    this.#address = undefined;
    this.state = 'off';
    return { packet, act: 'decline', after: 10 };
  }

  #say(type: number, more: Options, { ciaddr = '0.0.0.0', isDirect = false } = {}): Uint8Array {
    const name: Options = this.#stage === LAST_STAGE ? [[12, letters(this.#says)]] : [];
    const options = [...more, ...name, ...(STAGES[this.#stage]?.(this.n) ?? [])];
    const { giaddr } = this.wire;
    const via = giaddr === undefined || isDirect ? {} : { giaddr, hops: 1 };
    return writePacket({ type, mac: this.mac, ciaddr, options, ...via });
  }
}
