import { Dice } from './dice.ts';
import { macOf } from './machine.ts';
import { DECLINE, DISCOVER, INFORM, letters, quad, RELEASE, REQUEST, writePacket } from './naive-packet.ts';

type Option = readonly [code: number, value: readonly number[]];

const MACHINES = 5_000;
const CLIENT_TYPES = [DISCOVER, DISCOVER, REQUEST, REQUEST, REQUEST, DECLINE, RELEASE, INFORM];
const ADDRESSES = ['192.168.127', '10.0.7', '10.9.9', '0.0.0', '255.255.255'];
const TEXTS = [
  'PXEClient:Arch:00000:UNDI:002001',
  'PXEClient:Arch:00007',
  'HTTPClient:Arch:00016',
  'iPXE',
  'node1',
  'MSFT 5.0',
  'Blade 7.example.org',
  '',
];

/** Option numbers by the form of their value; both those a client sends and those it should not. */
const FORMS: readonly (readonly [codes: readonly number[], write: (grammar: DhcpGrammar) => number[]])[] = [
  [[50, 54, 1, 3, 6, 28, 118], (g) => g.address()],
  [[12, 14, 15, 17, 60, 66, 67, 77], (g) => g.text()],
  [[51, 58, 59], (g) => g.bytes(4)],
  [[57, 93, 22], (g) => g.small()],
  [[52, 53, 19, 46, 116], (g) => [g.dice.below(9)]],
  [[55], (g) => g.bytes(g.dice.below(40))],
  [[61], (g) => [g.dice.pick([0, 1, 255]), ...g.bytes(g.dice.below(20))]],
  [[97], (g) => [0, ...g.bytes(g.dice.pick([16, 16, 4]))]],
  [[77, 124], (g) => g.prefixed()],
  [[81], (g) => [g.dice.below(16), 255, 255, ...g.text()]],
  [[119], (g) => [4, ...letters('rack'), 4, ...letters('test'), 0, 192, g.dice.below(12)]],
  [[43, 82, 125, 175], (g) => g.nested()],
  [[80, 145], () => []],
  [[0, 255, 224, 249, 121], (g) => g.bytes(g.dice.below(60))],
];

/** Builds DHCP packets that a machine or relay might send, each option well formed nine times of ten: the same seed gives the same row. */
export class DhcpGrammar {
  readonly dice: Dice;

  constructor(seed: number) {
    this.dice = new Dice(seed);
  }

  next(): Uint8Array {
    const { dice } = this;
    const isRelayed = dice.chance(30);
    const options = Array.from({ length: dice.below(12) }, () => this.#option());
    const packet = writePacket({
      mac: macOf(dice.below(MACHINES)),
      op: dice.chance(98) ? 1 : 2,
      htype: dice.chance(98) ? 1 : dice.below(33),
      xid: dice.below(0xffff_ffff),
      broadcast: dice.chance(30),
      ciaddr: dice.chance(20) ? this.#dotted() : '0.0.0.0',
      ...(dice.chance(95) && { type: dice.chance(95) ? dice.pick(CLIENT_TYPES) : dice.below(20) }),
      ...(isRelayed && { giaddr: dice.chance(80) ? '10.0.7.1' : this.#dotted(), hops: dice.below(17) }),
      // Half of all requests are SELECTING
      options: dice.chance(50) ? options : [[54, quad('192.168.127.1')], [50, this.address()], ...options],
    });
    return dice.chance(95) ? packet : packet.subarray(0, dice.below(packet.length));
  }

  address(): number[] {
    return quad(this.#dotted());
  }

  text(): number[] {
    return letters(this.dice.pick(TEXTS));
  }

  small(): number[] {
    return [this.dice.pick([0, 0, 1, 2, 5]), this.dice.below(256)];
  }

  bytes(count: number): number[] {
    return Array.from({ length: count }, () => this.dice.below(256));
  }

  /** Length and value, some times (RFC 3004). */
  prefixed(): number[] {
    const text = this.text();
    return [text.length, ...text, text.length, ...text];
  }

  /** Code, length and value, some times (RFC 2132 §8.4, RFC 3046 §2.0). */
  nested(): number[] {
    return Array.from({ length: 1 + this.dice.below(5) }, () => {
      const value = this.dice.chance(50) ? this.address() : this.bytes(this.dice.below(20));
      return [this.dice.pick([1, 2, 5, 6, 8, 10, 11, 19, 255]), value.length, ...value];
    }).flat();
  }

  #option(): Option {
    const [codes, write] = this.dice.pick(FORMS);
    const code = this.dice.pick(codes);
    const value = this.dice.chance(90) ? write(this) : this.bytes(this.dice.below(256));
    return [code, value.slice(0, 255)];
  }

  #dotted(): string {
    return `${this.dice.pick(ADDRESSES)}.${this.dice.below(256)}`;
  }
}
