/*
 * The thread of a storm that plays firmware: for each machine DISCOVER, REQUEST, the loader by TFTP, then DISCOVER and REQUEST
 * once more as the iPXE that the loader is. Tells the main thread of each machine that knows its script's URL.
 * Written apart from the rack's DHCP and TFTP, though on its sockets.
 */
import { parentPort, workerData } from 'node:worker_threads';

import { toIp4, UNSPECIFIED, type Ip4 } from '../../src/addr/ip4.ts';
import { systemClock } from '../../src/system/clock.ts';
import type { DatagramSocket, Inbound } from '../../src/system/datagram.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { PollLoop } from '../../src/system/poll-loop.ts';
import { UdpSockets } from '../../src/system/udp-socket.ts';
import type { BootedMachine, StormOrder } from './storm-swarm.ts';

const [DISCOVER, OFFER, REQUEST, ACK] = [1, 2, 3, 5];
const [RRQ, DATA, TFTP_ACK] = [1, 3, 4];
const COOKIE = 0x63825363;
const BROADCAST = toIp4(0xffffffff);
/** Bytes in a block: EDK2's. */
const BLOCK = 1468;
const TFTP_PORT = 2070;
/** Milliseconds. PXE clients wait 4, 8, 16 and 32 seconds; TFTP of EDK2 a few. */
const DHCP_PATIENCE = [4000, 8000, 16_000, 32_000];
const TFTP_PATIENCE = 1000;
const TICK = 100;
const PXE_CLASS = 'PXEClient:Arch:00007:UNDI:003016';

type Stage = 'off' | 'discover' | 'request' | 'loader' | 'done';

class Machine {
  readonly index: number;
  readonly mac: Buffer;
  readonly powerOn: number;
  stage: Stage = 'off';
  isIpxe = false;
  sentAt = 0;
  tries = 0;
  address: Ip4 = UNSPECIFIED;
  server: Ip4 = UNSPECIFIED;
  bootFile = '';
  port = 0;
  block = 0;
  last: Uint8Array = new Uint8Array(0);

  constructor(index: number, powerOn: number) {
    this.index = index;
    this.mac = Buffer.from([0x02, 0xbb, 0, 0, index >> 8, index & 255]);
    this.powerOn = powerOn;
  }
}

class Firmware {
  readonly machines: readonly Machine[];
  readonly #dhcp: DatagramSocket;
  readonly #tftp: DatagramSocket;
  readonly #byAddress = new Map<Ip4, Machine>();
  readonly #tell: (machine: BootedMachine) => void;
  left: number;

  constructor(
    machines: readonly Machine[],
    dhcp: DatagramSocket,
    tftp: DatagramSocket,
    tell: (machine: BootedMachine) => void,
  ) {
    this.machines = machines;
    this.left = machines.length;
    this.#dhcp = dhcp;
    this.#tftp = tftp;
    this.#tell = tell;
  }

  /** Powers on whose time has come, and sends again what was not answered. */
  tick(now: number): void {
    for (const machine of this.machines) {
      const waited = now - machine.sentAt;
      if (machine.stage === 'off' && now >= machine.powerOn) this.#discover(machine, now);
      else if (machine.stage === 'loader' && waited > TFTP_PATIENCE) this.#sendTftp(machine, machine.last, now);
      else if (machine.stage === 'discover' || machine.stage === 'request') {
        // A client whose REQUEST is not answered begins anew
        if (waited > (DHCP_PATIENCE[machine.tries] ?? 32_000)) this.#discover(machine, now);
      }
    }
    this.flush();
  }

  flush(): void {
    this.#dhcp.flush();
    this.#tftp.flush();
  }

  receiveDhcp(): void {
    const now = systemClock.monotonic();
    this.#dhcp.receive(({ bytes }) => this.#onDhcp(Buffer.from(bytes), now));
    this.flush();
  }

  receiveTftp(): void {
    const now = systemClock.monotonic();
    this.#tftp.receive((datagram) => this.#onTftp(datagram, now));
    this.flush();
  }

  #discover(machine: Machine, now: number): void {
    machine.tries = machine.stage === 'discover' ? machine.tries + 1 : 0;
    machine.stage = 'discover';
    this.#sendDhcp(machine, DISCOVER, [], now);
  }

  #sendDhcp(machine: Machine, type: number, options: readonly number[], now: number): void {
    machine.sentAt = now;
    this.#dhcp.send(dhcpMessage(machine, type, options), { address: BROADCAST, port: 67 });
  }

  #onDhcp(packet: Buffer, now: number): void {
    if (packet.length < 241 || packet.readUInt32BE(236) !== COOKIE) return;
    const machine = this.machines[packet.readUInt32BE(4) & 0xffff];
    const options = readOptions(packet);
    const type = options.get(53)?.[0];
    if (!machine) return;
    if (type === OFFER && machine.stage === 'discover') {
      machine.stage = 'request';
      const server = options.get(54) ?? Buffer.alloc(4);
      this.#sendDhcp(machine, REQUEST, [50, 4, ...packet.subarray(16, 20), 54, 4, ...server], now);
    } else if (type === ACK && machine.stage === 'request') this.#onAck(machine, packet, options, now);
  }

  #onAck(machine: Machine, packet: Buffer, options: ReadonlyMap<number, Buffer>, now: number): void {
    machine.address = toIp4(packet.readUInt32BE(16));
    machine.server = toIp4(packet.readUInt32BE(20));
    const written = options.get(67) ?? packet.subarray(108, 236);
    machine.bootFile = written.toString('latin1').replace(/\0.*$/s, '');
    if (machine.bootFile === '') throw new Error(`machine ${machine.index} is told of nothing to boot`);
    if (machine.isIpxe) {
      machine.stage = 'done';
      this.left--;
      this.#tell({ index: machine.index, address: machine.address, url: machine.bootFile, powerOn: machine.powerOn });
      return;
    }
    this.#byAddress.set(machine.address, machine);
    machine.stage = 'loader';
    const words = [machine.bootFile, 'octet', 'tsize', 0, 'blksize', BLOCK];
    this.#sendTftp(machine, Buffer.concat([Buffer.from([0, RRQ]), Buffer.from(`${words.join('\0')}\0`)]), now);
  }

  #onTftp({ bytes, destination, sourcePort }: Inbound, now: number): void {
    const machine = this.#byAddress.get(destination);
    if (machine?.stage !== 'loader') return;
    const number = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
    const isOack = bytes[1] === 6;
    machine.port = sourcePort;
    if (bytes[1] !== DATA && !isOack)
      throw new Error(`machine ${machine.index}: ${Buffer.from(bytes).toString('latin1')}`);
    if (bytes[1] === DATA && number !== ((machine.block + 1) & 0xffff)) return;
    if (bytes[1] === DATA) machine.block++;
    this.#sendTftp(machine, Buffer.from([0, TFTP_ACK, (machine.block >> 8) & 255, machine.block & 255]), now);
    if (isOack || bytes.length - 4 === BLOCK) return;
    this.#byAddress.delete(machine.address);
    machine.isIpxe = true;
    machine.stage = 'off';
    this.#discover(machine, now);
  }

  #sendTftp(machine: Machine, bytes: Uint8Array, now: number): void {
    machine.last = bytes;
    machine.sentAt = now;
    const port = machine.port === 0 ? 69 : machine.port;
    this.#tftp.send(bytes, { address: machine.server, port, source: machine.address });
  }
}

function dhcpMessage(machine: Machine, type: number, options: readonly number[]): Uint8Array {
  const packet = Buffer.alloc(548);
  packet.set([1, 1, 6, 0]);
  packet.writeUInt32BE(0x2000_0000 + machine.index + (machine.isIpxe ? 0x10000 : 0), 4);
  packet.writeUInt16BE(0x8000, 10);
  packet.set(machine.mac, 28);
  packet.writeUInt32BE(COOKIE, 236);
  const guid = [97, 17, 0, ...Buffer.alloc(10), ...machine.mac];
  const ipxe = machine.isIpxe ? [77, 4, ...Buffer.from('iPXE'), 175, 6, 19, 1, 1, 17, 1, 1] : [];
  const asked = [55, 8, 1, 3, 6, 15, 43, 60, 66, 67];
  const vendorClass = [60, PXE_CLASS.length, ...Buffer.from(PXE_CLASS)];
  packet.set(
    [53, 1, type, ...options, ...asked, ...vendorClass, 93, 2, 0, 7, 94, 3, 1, 3, 16, ...guid, ...ipxe, 255],
    240,
  );
  return packet;
}

function readOptions(packet: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  for (let at = 240; at + 1 < packet.length && packet[at] !== 255;) {
    const length = packet[at + 1] ?? 0;
    if (packet[at] === 0) at++;
    else {
      options.set(packet[at] ?? 0, packet.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return options;
}

function run({ machines, spread, interface: name, start }: StormOrder & { readonly start: number }): void {
  const libc = loadLibc();
  const loop = new PollLoop(libc, systemClock);
  const sockets = new UdpSockets(libc);
  const buffers = { receiveBuffer: 64 << 20, sendBuffer: 4 << 20 };
  const dhcp = sockets.open({ address: UNSPECIFIED, port: 68, interface: name, broadcast: true, ...buffers });
  const tftp = sockets.open({ address: UNSPECIFIED, port: TFTP_PORT, ...buffers });
  const all = Array.from(
    { length: machines },
    (_, index) => new Machine(index, start + (spread * 1000 * index) / machines),
  );
  const firmware = new Firmware(all, dhcp.socket, tftp.socket, (machine) => parentPort?.postMessage(machine));
  loop.watch(dhcp.fd, () => firmware.receiveDhcp());
  loop.watch(tftp.fd, () => firmware.receiveTftp());
  const tick = (): void => {
    firmware.tick(systemClock.monotonic());
    if (firmware.left === 0) loop.stop();
    else loop.after(TICK, tick);
  };
  loop.after(0, tick);
  loop.run();
}

run(workerData as StormOrder & { readonly start: number });
