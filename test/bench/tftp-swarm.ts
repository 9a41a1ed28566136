/*
 * Many TFTP clients in one process, each with an address of its own, reading one file over and over for some seconds.
 * Written apart from the rack's TFTP, though on its sockets: one socket for all, so that a client costs less than a server.
 * Usage: tftp-swarm.ts '{"server":"10.0.0.1","first":"10.1.0.1","clients":8,"file":"f","window":16,"block":1428,"seconds":4}'
 * Prints {"bytes","seconds","transfers","timeouts","errors"}.
 */
import { parseIp4, toIp4, type Ip4 } from '../../src/addr/ip4.ts';
import { systemClock } from '../../src/system/clock.ts';
import type { DatagramSocket, Inbound } from '../../src/system/datagram.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { PollLoop } from '../../src/system/poll-loop.ts';
import { UdpSockets } from '../../src/system/udp-socket.ts';

export interface SwarmOrder {
  readonly server: string;
  /** The first client's address; the others follow. */
  readonly first: string;
  readonly clients: number;
  readonly file: string;
  readonly window: number;
  readonly block: number;
  readonly seconds: number;
}

export interface SwarmResult {
  readonly bytes: number;
  readonly seconds: number;
  readonly transfers: number;
  /** How often a client waited in vain and asked again. */
  readonly timeouts: number;
  readonly errors: number;
}

const [RRQ, DATA, ACK, ERROR, OACK] = [1, 3, 4, 5, 6];
const CLIENT_PORT = 2070;
const PATIENCE = 1000;

class Client {
  readonly address: Ip4;
  /** The server's transfer ID; 0 until it answered. */
  port = 0;
  /** The last block it has, not wrapped. */
  block = 0;
  /** Blocks between two ACKs, as the server agreed. */
  window = 1;
  inWindow = 0;
  heardAt = 0;
  /** It has told the server of a gap, and not heard the block behind it since. */
  complained = false;

  constructor(address: Ip4) {
    this.address = address;
  }
}

class Swarm {
  readonly #order: SwarmOrder;
  readonly #server: Ip4;
  readonly #clients: readonly Client[];
  readonly #first: Ip4;
  readonly #socket: DatagramSocket;
  readonly #request: Uint8Array;
  readonly #ack = Buffer.from([0, ACK, 0, 0]);
  #bytes = 0;
  #transfers = 0;
  #timeouts = 0;
  #errors = 0;

  constructor(order: SwarmOrder, socket: DatagramSocket) {
    this.#order = order;
    this.#server = ip4(order.server);
    this.#first = ip4(order.first);
    this.#clients = Array.from({ length: order.clients }, (_, index) => new Client(toIp4(this.#first + index)));
    this.#socket = socket;
    const words = [order.file, 'octet', 'blksize', order.block, 'tsize', 0];
    if (order.window > 1) words.push('windowsize', order.window);
    this.#request = Buffer.concat([Buffer.from([0, RRQ]), Buffer.from(`${words.join('\0')}\0`)]);
  }

  start(now: number): void {
    for (const client of this.#clients) this.#begin(client, now);
    this.#socket.flush();
  }

  receive(now: number): void {
    this.#socket.receive((datagram) => this.#take(datagram, now));
    this.#socket.flush();
  }

  /** Whoever heard nothing for a while says again what it said last. */
  remind(now: number): void {
    for (const client of this.#clients) {
      if (now - client.heardAt < PATIENCE) continue;
      this.#timeouts++;
      client.heardAt = now;
      if (client.port === 0) this.#begin(client, now);
      else this.#acknowledge(client);
    }
    this.#socket.flush();
  }

  stop(seconds: number): SwarmResult {
    for (const client of this.#clients) this.#send(client, Buffer.from([0, ERROR, 0, 0, 0]));
    this.#socket.flush();
    return {
      bytes: this.#bytes,
      seconds,
      transfers: this.#transfers,
      timeouts: this.#timeouts,
      errors: this.#errors,
    };
  }

  #begin(client: Client, now: number): void {
    client.port = 0;
    client.block = 0;
    client.inWindow = 0;
    client.complained = false;
    client.heardAt = now;
    this.#socket.send(this.#request, { address: this.#server, port: 69, source: client.address });
  }

  #take({ bytes, destination, sourcePort }: Inbound, now: number): void {
    const client = this.#clients[destination - this.#first];
    if (!client) return;
    client.heardAt = now;
    const code = bytes[1];
    if (client.port === 0) client.port = sourcePort;
    else if (client.port !== sourcePort) return;
    if (code === DATA) this.#onData(client, bytes, now);
    else if (code === OACK) this.#onAgreement(client, bytes);
    else this.#errors++;
  }

  #onAgreement(client: Client, bytes: Uint8Array): void {
    client.window = Number(/\0?windowsize\0(\d+)\0/i.exec(Buffer.from(bytes).toString('latin1'))?.[1] ?? 1);
    this.#acknowledge(client);
  }

  #onData(client: Client, bytes: Uint8Array, now: number): void {
    const number = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
    if (number !== ((client.block + 1) & 0xffff)) {
      if (!client.complained) this.#acknowledge(client);
      client.complained = true;
      return;
    }
    client.complained = false;
    client.block++;
    client.inWindow++;
    this.#bytes += bytes.length - 4;
    const isLast = bytes.length - 4 < this.#order.block;
    if (isLast || client.inWindow === client.window) this.#acknowledge(client);
    if (!isLast) return;
    this.#transfers++;
    this.#begin(client, now);
  }

  #acknowledge(client: Client): void {
    client.inWindow = 0;
    this.#ack.writeUInt16BE(client.block & 0xffff, 2);
    this.#send(client, this.#ack);
  }

  #send(client: Client, bytes: Uint8Array): void {
    if (client.port === 0) return;
    this.#socket.send(bytes, { address: this.#server, port: client.port, source: client.address });
  }
}

function ip4(text: string): Ip4 {
  const address = parseIp4(text);
  if (address === undefined) throw new Error(`expected an IPv4 address, found ${text}`);
  return address;
}

function run(order: SwarmOrder): SwarmResult {
  const libc = loadLibc();
  const loop = new PollLoop(libc, systemClock);
  const { socket, fd } = new UdpSockets(libc).open({
    address: toIp4(0),
    port: CLIENT_PORT,
    receiveBuffer: 64 << 20,
    sendBuffer: 4 << 20,
  });
  const swarm = new Swarm(order, socket);
  const started = systemClock.monotonic();
  loop.watch(fd, () => swarm.receive(systemClock.monotonic()));
  const remind = (): void => {
    swarm.remind(systemClock.monotonic());
    loop.after(PATIENCE / 5, remind);
  };
  loop.after(PATIENCE, remind);
  loop.after(order.seconds * 1000, () => loop.stop());
  swarm.start(started);
  loop.run();
  return swarm.stop((systemClock.monotonic() - started) / 1000);
}

console.log(JSON.stringify(run(JSON.parse(process.argv[2] ?? '{}') as SwarmOrder)));
