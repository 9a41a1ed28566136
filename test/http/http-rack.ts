import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

import { HttpService } from '../../src/http/http-service.ts';
import type { BootSign } from '../../src/boots/boot-sign.ts';
import type { BootCatalogue, Host, HttpSettings, Plan } from '../../src/plan/plan.ts';
import type { Counters, SocketHandle } from '../../src/service/letters.ts';
import type { Subject } from '../../src/service/service.ts';
import { CONNECTION_LIMITS, type ConnectionLimits } from '../../src/http/connections.ts';
import { SendfileSender, type FileSender } from '../../src/http/file-sender.ts';
import { SEND_LIMITS, type SendLimits } from '../../src/http/send-limits.ts';
import type { Clock } from '../../src/system/clock.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { openTcpListener } from '../../src/system/tcp-listener.ts';
import type { EventBody } from '../../src/timeline/event.ts';
import { DEBIAN, ip4, testPlan } from '../boot/boot-plan-fixture.ts';

export const LOOPBACK = ip4('127.0.0.1');
/** The clock of the rack: it stands still. */
export const NOW = 1_800_000_000_000;

const libc = loadLibc();

type Seen = EventBody & Subject;

export interface HttpRackOptions {
  readonly sender?: FileSender;
  readonly sendLimits?: Partial<SendLimits>;
  readonly connectionLimits?: ConnectionLimits;
  readonly clock?: Clock;
  readonly hosts?: readonly Host[];
  readonly http?: Partial<HttpSettings>;
}

/** The real service on a real socket on 127.0.0.1, serving a directory of its own. */
export class HttpRack {
  readonly directory = mkdtempSync(join(tmpdir(), 'rackboot-http-'));
  readonly files = join(this.directory, 'files');
  readonly events: Seen[] = [];
  readonly signs: BootSign[] = [];
  readonly service: HttpService;
  readonly port: number;
  readonly socket: SocketHandle;
  #waiting: (() => void)[] = [];
  readonly #options: HttpRackOptions;

  constructor(
    t: TestContext,
    files: Readonly<Record<string, string | Buffer>> = {},
    boot: Partial<BootCatalogue> = {},
    options: HttpRackOptions = {},
  ) {
    this.#options = options;
    mkdirSync(this.files);
    for (const [path, content] of Object.entries(files)) this.write(path, content);
    const fd = openTcpListener(libc, LOOPBACK, 0);
    this.port = localPort(fd);
    this.socket = { fd, transport: 'tcp', address: LOOPBACK, port: this.port };
    const context = {
      loop: { watch: unused, after: later },
      clock: options.clock ?? { now: () => NOW, monotonic: () => 0 },
      signs: { sign: (sign: BootSign) => void this.signs.push(sign) },
      events: { emit: (body: EventBody, subject?: Subject) => this.#seen({ ...body, ...subject }) },
    };
    this.service = new HttpService(context, {
      duplicate: (original) => libc.dup(original),
      libc,
      sender: options.sender ?? new SendfileSender(libc),
      defer: setImmediate,
      sendLimits: { ...SEND_LIMITS, ...options.sendLimits },
      connectionLimits: options.connectionLimits ?? CONNECTION_LIMITS,
    });
    this.service.apply(this.plan(boot), [this.socket]);
    t.after(() => {
      this.service.close();
      libc.close(fd);
      rmSync(this.directory, { recursive: true });
    });
  }

  plan(boot: Partial<BootCatalogue> = {}): Plan {
    const kernel = { path: DEBIAN.kernel.path, file: join(this.files, DEBIAN.kernel.path) };
    const entries = [{ ...DEBIAN, kernel }];
    const plan = testPlan({ files: this.files, entries, ...boot }, this.#options.hosts);
    return { ...plan, http: { port: this.port, ...this.#options.http } };
  }

  write(path: string, content: string | Buffer): void {
    const file = join(this.files, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }

  /** What was counted, without the levels of the moment. */
  totals(): Counters {
    const { connections: _open, sending: _sending, waiting: _waiting, ...totals } = this.service.counters();
    return totals;
  }

  /** The first event of this kind, past or to come. */
  async event<K extends EventBody['kind']>(kind: K): Promise<Extract<Seen, { kind: K }>> {
    for (;;) {
      const found = this.events.find((event) => event.kind === kind);
      if (found !== undefined) return found as Extract<Seen, { kind: K }>;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Waits, for ever if need be. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  #seen(event: Seen): void {
    this.events.push(event);
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request on a connection of its own; `path` goes out as it is. */
export function ask(
  rack: HttpRack,
  path: string,
  { method = 'GET', headers = {}, body }: Question = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: rack.port, path, method, headers, agent: false };
    const outgoing = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Writes `text` to a raw connection and gives back all that comes until the rack hangs up. */
export function talk(rack: HttpRack, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const connection = connect(rack.port, '127.0.0.1', () => connection.write(text));
    connection.on('data', (chunk: Buffer) => chunks.push(chunk));
    connection.on('error', reject);
    connection.on('end', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

function localPort(fd: number): number {
  const address = Buffer.alloc(16);
  const length = Buffer.from([16, 0, 0, 0]);
  if (libc.getsockname(fd, address, length) < 0) throw new Error('getsockname failed');
  return address.readUInt16BE(2);
}

function later(milliseconds: number, fire: () => void): { cancel: () => void } {
  const timer = setTimeout(fire, milliseconds);
  return { cancel: () => clearTimeout(timer) };
}

function unused(): never {
  throw new Error('not used by this service');
}
