import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseCidr } from '../../src/addr/cidr.ts';
import { parseIp4, type Ip4 } from '../../src/addr/ip4.ts';
import type { BootSign } from '../../src/boots/boot-sign.ts';
import type { Plan, TftpSettings } from '../../src/plan/plan.ts';
import type { SocketHandle } from '../../src/service/letters.ts';
import type { Subject } from '../../src/service/service.ts';
import { TftpService } from '../../src/tftp/tftp-service.ts';
import type { EventBody } from '../../src/timeline/event.ts';
import type { TftpOptions } from '../../src/wire/tftp/options.ts';
import { encodeAck, encodeError, encodeRequest, type TftpPacket } from '../../src/wire/tftp/packet.ts';
import { FakeLoop } from './fake-loop.ts';
import { MemoryWire, type MemorySocket, type Sent } from './memory-wire.ts';
import { NO_DNS } from '../plan/no-dns.ts';

export function ip4(text: string): Ip4 {
  const address = parseIp4(text);
  assert.ok(address !== undefined, text);
  return address;
}

export const RACK = ip4('192.0.2.1');
export const NODE = ip4('192.0.2.21');
const HANDLE: SocketHandle = { fd: 7, interface: 'eth0', ifindex: 2, address: RACK, port: 69, transport: 'udp' };

/** One subnet, and the files of one directory. */
export function testPlan(files: string, tftp: Partial<TftpSettings> = {}): Plan {
  const cidr = parseCidr('192.0.2.0/24');
  assert.ok(cidr);
  const broadcast = ip4('192.0.2.255');
  return {
    rack: { name: 'rack-a1', state: '/nowhere', control: '/nowhere/control.sock' },
    subnets: [
      {
        cidr,
        interface: 'eth0',
        rackAddress: RACK,
        management: 'dhcp+dns',
        broadcast,
        dns: [RACK],
        leaseSeconds: 3600,
      },
    ],
    hosts: [],
    boot: { files, default: 'local', entries: [], loaders: {} },
    http: { port: 5248 },
    tftp: { blockSize: 1468, window: 64, transfers: 4000, perClient: 1000, singlePort: false, ...tftp },
    dns: NO_DNS,
    admin: { address: ip4('127.0.0.1'), port: 5249 },
    log: { level: 'info' },
    timeline: { ageSeconds: 30 * 86_400, bytes: 64 * 2 ** 20 },
  };
}

/** A service with its first Plan and one listening socket, a directory of files, and everything around it in memory. */
export class TestRack {
  readonly loop = new FakeLoop();
  readonly wire = new MemoryWire(this.loop);
  readonly events: { readonly body: EventBody; readonly subject: Subject | undefined }[] = [];
  readonly signs: BootSign[] = [];
  readonly service: TftpService;
  readonly files: string;
  readonly #tftp: Partial<TftpSettings> | undefined;

  constructor(t: TestContext, files: Readonly<Record<string, string | Uint8Array>> = {}, tftp?: Partial<TftpSettings>) {
    this.#tftp = tftp;
    this.files = mkdtempSync(join(tmpdir(), 'rackboot-tftp-'));
    t.after(() => rmSync(this.files, { recursive: true }));
    for (const [path, content] of Object.entries(files)) this.write(path, content);
    const events = { emit: (body: EventBody, subject?: Subject) => void this.events.push({ body, subject }) };
    const signs = { sign: (sign: BootSign) => void this.signs.push(sign) };
    this.service = new TftpService({ loop: this.loop, clock: this.loop, events, signs }, this.wire);
    this.service.apply(this.plan(), [HANDLE]);
    t.after(() => this.service.close());
  }

  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(this.files, path)), { recursive: true });
    writeFileSync(join(this.files, path), content);
  }

  plan(files = this.files): Plan {
    return testPlan(files, this.#tftp);
  }

  get handle(): SocketHandle {
    return HANDLE;
  }

  client(port = 2070, address = NODE): TestClient {
    return new TestClient(this, address, port);
  }

  /** The events so far, and none of them again. */
  takeEvents(): EventBody[] {
    return this.events.splice(0).map(({ body }) => body);
  }

  /** Files under the served directory that this process holds open. */
  openFiles(): number {
    const targets = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    });
    return targets.filter((target) => target.startsWith(`${this.files}/`)).length;
  }

  /** Nothing of any transfer is left: no socket, file, timer or watched descriptor. */
  assertIdle(): void {
    assert.equal(this.wire.open.length, 0, 'sockets');
    assert.equal(this.openFiles(), 0, 'files');
    assert.equal(this.loop.timers, 0, 'timers');
    assert.deepEqual(this.loop.watched, [HANDLE.fd]);
    assert.equal(this.service.counters()['active'], 0);
  }
}

/** One port of one machine. Answers go to the socket that was last heard from. */
export class TestClient {
  readonly address: Ip4;
  readonly port: number;
  readonly #rack: TestRack;
  #server: MemorySocket | undefined;

  constructor(rack: TestRack, address: Ip4, port: number) {
    this.#rack = rack;
    this.address = address;
    this.port = port;
  }

  request(file: string, options: TftpOptions = {}, mode = 'octet', type: 'rrq' | 'wrq' = 'rrq'): TftpPacket[] {
    return this.ask(encoded((into) => encodeRequest(into, { type, file, mode, options })));
  }

  /** Sends bytes to the listening socket, at `destination` when it is not the rack's own address. */
  ask(bytes: Uint8Array, destination?: Ip4): TftpPacket[] {
    const listener = this.#rack.wire.listeners.at(-1);
    assert.ok(listener);
    this.#rack.wire.deliver(listener, bytes, this.address, this.port, destination);
    return this.heard();
  }

  ack(block: number): TftpPacket[] {
    return this.tell(encoded((into) => encodeAck(into, block)));
  }

  error(code: number, message = ''): TftpPacket[] {
    return this.tell(encoded((into) => encodeError(into, code, message)));
  }

  /** Sends bytes to the transfer's socket. */
  tell(bytes: Uint8Array, server = this.server): TftpPacket[] {
    this.#rack.wire.deliver(server, bytes, this.address, this.port);
    return this.heard();
  }

  get server(): MemorySocket {
    assert.ok(this.#server, 'this client has heard nothing yet');
    return this.#server;
  }

  /** What came since the last time. */
  heard(): TftpPacket[] {
    return this.heardWithSource().map(({ packet }) => packet);
  }

  heardWithSource(): readonly Sent[] {
    const heard = this.#rack.wire.heardBy(this.address, this.port);
    this.#server = heard.at(-1)?.socket ?? this.#server;
    return heard;
  }

  /** Reads a file to its end as a client of RFC 1350 or 7440 does; `first` is what answered the request. */
  readOn(first: readonly TftpPacket[], blockSize = 512): Buffer {
    const blocks: Uint8Array[] = [];
    let packets = first;
    for (;;) {
      const [packet] = packets;
      if (packet?.type === 'oack') {
        packets = this.ack(0);
        continue;
      }
      for (const each of packets) {
        assert.equal(each.type, 'data');
        assert.ok(each.type === 'data' && each.block === ((blocks.length + 1) & 0xffff));
        blocks.push(each.data);
      }
      packets = this.ack(blocks.length & 0xffff);
      if ((blocks.at(-1)?.length ?? 0) < blockSize) return Buffer.concat(blocks);
    }
  }
}

function encoded(encode: (into: Uint8Array) => number): Uint8Array {
  const buffer = new Uint8Array(1024);
  return buffer.subarray(0, encode(buffer));
}
