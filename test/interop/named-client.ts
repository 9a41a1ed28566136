/*
 * Machines that come, say what they are called, and go: named-client.ts SERVER DOMAIN SECONDS RATE [PORTS]. RATE a second begin,
 * each asks by DHCP, then by DNS for its name and its address until both are told right, stays a while, releases, and asks on
 * until both are gone; meanwhile each that stays is asked for over and over. It asks from as many ports, one unless given, until
 * all are told so. A line of JSON tells how it went with each (NamedMachine).
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

import { decode, encode, type DecodedPacket } from 'dns-packet';

import {
  ACK,
  DISCOVER,
  letters,
  OFFER,
  quad,
  readReply,
  RELEASE,
  REQUEST,
  writePacket,
  type Reply,
} from '../dhcp/naive-packet.ts';

/** What became of a machine; times in milliseconds. */
export interface NamedMachine {
  readonly name: string;
  /** From its ACK to the reply that told its address, and its name by PTR. */
  readonly named: number;
  readonly pointed: number;
  /** From its RELEASE to the reply that knew neither any more. */
  readonly gone: number;
  /** How often it was asked for while it stayed. */
  readonly asked: number;
}

const STAY_MILLISECONDS = 2_000;
/** A machine that is not answered so long has failed. */
const PATIENCE_MILLISECONDS = 8_000;
/** Between two questions for the same: a sampler, not a flood. */
const PAUSE_MILLISECONDS = 1;
const AGAIN_MILLISECONDS = 1_000;
const FIRST_XID = 0x1000_0000;

const [server = '', domain = '', seconds = '1', rate = '10', ports = '1'] = process.argv.slice(2);

interface Acked {
  readonly address: string;
  readonly at: number;
}

/** The DHCP side of all machines: one socket, told apart by xid. */
class Dora {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (reply: Reply, at: number) => void>();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (packet) => {
      const at = performance.now();
      const reply = readReply(packet);
      this.#waiting.get(reply.xid)?.(reply, at);
    });
  }

  async bind(machine: number): Promise<Acked> {
    const name: readonly [number, readonly number[]] = [12, letters(nameOf(machine))];
    const offer = await this.#ask(machine, DISCOVER, OFFER, [name]);
    const wanted = [50, quad(offer.reply.yiaddr)] as const;
    const ack = await this.#ask(machine, REQUEST, ACK, [wanted, [54, quad(server)], name]);
    return { address: ack.reply.yiaddr, at: ack.at };
  }

  release(machine: number, address: string): void {
    const words = { type: RELEASE, ...whoIs(machine), ciaddr: address };
    this.#socket.send(writePacket({ ...words, options: [[54, quad(server)]] }), 67, server);
  }

  async #ask(
    machine: number,
    type: number,
    wanted: number,
    options: readonly (readonly [number, readonly number[]])[],
  ): Promise<{ reply: Reply; at: number }> {
    const packet = writePacket({ type, ...whoIs(machine), broadcast: true, options });
    const answered = new Promise<{ reply: Reply; at: number }>((resolve) => {
      this.#waiting.set(FIRST_XID + machine, (reply, at) => reply.type === wanted && resolve({ reply, at }));
    });
    const send = (): void => this.#socket.send(packet, 67, '255.255.255.255');
    send();
    const again = setInterval(send, AGAIN_MILLISECONDS);
    const reply = await Promise.race([answered, patience(PATIENCE_MILLISECONDS)]);
    clearInterval(again);
    if (!reply) throw new Error(`no DHCP reply of type ${wanted}`);
    return reply;
  }
}

/** A resolver's side: one socket, told apart by id. */
class Stub {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (reply: DecodedPacket) => void>();
  #id = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (packet) => {
      const reply = decode(packet);
      this.#waiting.get(reply.id ?? -1)?.(reply);
    });
  }

  /** The first record's data, or the name of the response code. */
  async ask(name: string, type: 'A' | 'PTR'): Promise<string> {
    const id = (this.#id = (this.#id + 1) & 0xffff);
    const answered = new Promise<DecodedPacket>((resolve) => void this.#waiting.set(id, resolve));
    this.#socket.send(encode({ type: 'query', id, questions: [{ type, name }] }), 53, server);
    const reply = await Promise.race([answered, patience(AGAIN_MILLISECONDS)]);
    this.#waiting.delete(id);
    if (!reply) return 'no answer';
    const record = reply.answers?.[0];
    if (record && 'data' in record && typeof record.data === 'string') return record.data;
    return 'rcode' in reply ? String(reply.rcode) : 'no data';
  }

  /** Asks until the answer is so; resolves with the time it came. */
  async until(name: string, type: 'A' | 'PTR', isRight: (answer: string) => boolean): Promise<number> {
    const end = performance.now() + PATIENCE_MILLISECONDS;
    for (;;) {
      const answer = await this.ask(name, type);
      const now = performance.now();
      if (isRight(answer)) return now;
      if (now > end) throw new Error(`${name} ${type} is still ${answer}`);
      await delay(PAUSE_MILLISECONDS);
    }
  }
}

/** Unlike a wait that is meant, one that lost its race keeps nothing running. */
function patience(milliseconds: number): Promise<void> {
  return delay(milliseconds, undefined, { ref: false });
}

function whoIs(machine: number): { mac: string; xid: number } {
  const tail = [machine >> 8, machine & 255].map((byte) => byte.toString(16).padStart(2, '0'));
  return { mac: ['02', 'bb', '00', '00', ...tail].join(':'), xid: FIRST_XID + machine };
}

function nameOf(machine: number): string {
  return `m${machine}`;
}

async function openSocket(port: number): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.bind(port);
  await once(socket, 'listening');
  socket.setBroadcast(true);
  return socket;
}

/** A resolver for each port: the last to be told counts. */
class Stubs {
  readonly #all: readonly Stub[];
  #turn = 0;

  constructor(all: readonly Stub[]) {
    this.#all = all;
  }

  /** By one of them after the other. */
  ask(name: string, type: 'A'): Promise<string> {
    const stub = this.#all[this.#turn++ % this.#all.length];
    return stub ? stub.ask(name, type) : Promise.reject(new Error('no port'));
  }

  async until(name: string, type: 'A' | 'PTR', isRight: (answer: string) => boolean): Promise<number> {
    return Math.max(...(await Promise.all(this.#all.map((stub) => stub.until(name, type, isRight)))));
  }
}

async function live(dora: Dora, stub: Stubs, machine: number): Promise<NamedMachine> {
  const name = `${nameOf(machine)}.${domain}`;
  const { address, at } = await dora.bind(machine);
  const reverse = `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
  const [named, pointed] = await Promise.all([
    stub.until(name, 'A', (answer) => answer === address),
    stub.until(reverse, 'PTR', (answer) => answer === name),
  ]);
  const asked = await stay(stub, name, address);
  const released = performance.now();
  dora.release(machine, address);
  // Another machine may have its address, and so the pointer, at once
  const gone = await Promise.all([
    stub.until(name, 'A', (answer) => answer === 'NXDOMAIN'),
    stub.until(reverse, 'PTR', (answer) => answer !== name && answer !== 'no answer'),
  ]);
  return { name, named: named - at, pointed: pointed - at, gone: Math.max(...gone) - released, asked };
}

/** Once it answered it answers always. */
async function stay(stub: Stubs, name: string, address: string): Promise<number> {
  const end = performance.now() + STAY_MILLISECONDS;
  let asked = 0;
  while (performance.now() < end) {
    const answer = await stub.ask(name, 'A');
    if (answer !== address) throw new Error(`${name} was ${address}, then ${answer}`);
    asked++;
    await delay(20);
  }
  return asked;
}

const dhcp = await openSocket(68);
const dns = await Promise.all(Array.from({ length: Number(ports) }, () => openSocket(0)));
const [dora, stub] = [new Dora(dhcp), new Stubs(dns.map((socket) => new Stub(socket)))];
const count = Number(seconds) * Number(rate);
const lives = Array.from({ length: count }, async (_, machine) => {
  await delay((machine * 1000) / Number(rate));
  try {
    console.log(JSON.stringify(await live(dora, stub, machine)));
  } catch (error) {
    console.error(`m${machine}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
});
await Promise.all(lives);
dhcp.close();
for (const socket of dns) socket.close();
