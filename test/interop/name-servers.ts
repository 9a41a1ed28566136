import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';

import { keyText, type NameKey } from '../../src/wire/dns/name.ts';
import { masterFile, type RandomZone } from './random-zones.ts';

/** A name server that answers from master files, and is asked over one TCP connection. */
export interface NameServer extends AsyncDisposable {
  readonly name: 'BIND' | 'Knot';
  readonly port: number;
  ask(messages: readonly Buffer[]): Promise<Buffer[]>;
  askByUdp(message: Buffer): Promise<Buffer>;
}

const START_MILLISECONDS = 10_000;

export async function startBind(folder: string, zones: readonly RandomZone[]): Promise<NameServer> {
  const port = await freePort();
  const lines = zones.map(({ origin }) => {
    const name = keyText(origin);
    const lax = 'check-names ignore; check-mx ignore; check-integrity no; check-wildcard no; check-dup-records ignore;';
    return `zone "${name}" { type primary; file "${name}.zone"; ${lax} };`;
  });
  const config = writeConfig(folder, zones, 'named.conf', [
    `options { directory "${folder}"; pid-file "named.pid"; session-keyfile "session.key"; listen-on-v6 { none; };`,
    `  listen-on port ${port} { 127.0.0.1; }; recursion no; notify no; empty-zones-enable no; dnssec-validation no;`,
    '  minimal-responses no-auth; minimal-any no; zero-no-soa-ttl no; check-names primary ignore; };',
    'controls { };',
    ...lines,
  ]);
  return start('BIND', zones, port, 'named', ['-g', '-c', config, '-n', '1']);
}

export async function startKnot(folder: string, zones: readonly RandomZone[]): Promise<NameServer> {
  const port = await freePort();
  const config = writeConfig(folder, zones, 'knot.conf', [
    `server:\n  rundir: ${folder}\n  listen: 127.0.0.1@${port}\n  tcp-workers: 1\n  udp-workers: 1`,
    `database:\n  storage: ${folder}`,
    `log:\n  - target: stderr\n    any: error`,
    `template:\n  - id: default\n    storage: ${folder}\n    semantic-checks: off\n    zonefile-load: whole\n    journal-content: none`,
    `zone:\n${zones.map(({ origin }) => `  - domain: ${keyText(origin)}\n    file: ${keyText(origin)}.zone`).join('\n')}`,
  ]);
  return start('Knot', zones, port, 'knotd', ['-c', config]);
}

function writeConfig(folder: string, zones: readonly RandomZone[], name: string, lines: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  for (const zone of zones) writeFileSync(join(folder, `${keyText(zone.origin)}.zone`), masterFile(zone));
  writeFileSync(join(folder, name), `${lines.join('\n')}\n`);
  return join(folder, name);
}

async function start(
  name: NameServer['name'],
  zones: readonly RandomZone[],
  port: number,
  program: string,
  words: string[],
): Promise<NameServer> {
  const server = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  server.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    const connection = new TcpAsker(await connected(port, server));
    for (const { origin } of zones) await loaded(connection, origin);
    return {
      name,
      port,
      ask: (messages) => connection.ask(messages),
      askByUdp: (message) => askByUdp(message, port),
      async [Symbol.asyncDispose]() {
        connection.close();
        await stop(server);
      },
    };
  } catch (error) {
    await stop(server);
    throw new Error(`${name} did not start: ${said.slice(-2000)}`, { cause: error });
  }
}

async function askByUdp(message: Buffer, port: number): Promise<Buffer> {
  const socket = createSocket('udp4');
  socket.send(message, port, '127.0.0.1');
  try {
    const [reply] = (await once(socket, 'message')) as [Buffer];
    return reply;
  } finally {
    socket.close();
  }
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill('SIGKILL');
  await once(server, 'exit');
}

async function connected(port: number, server: ChildProcess): Promise<Socket> {
  const until = Date.now() + START_MILLISECONDS;
  for (;;) {
    if (server.exitCode !== null) throw new Error('it ended');
    try {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** A server may listen before it has loaded a zone; one that it will not load is refused for ever. */
async function loaded(connection: TcpAsker, origin: NameKey): Promise<void> {
  const question = Buffer.from(`\0\0\0\0\0\x01\0\0\0\0\0\0${origin}\0\x06\0\x01`, 'latin1');
  for (const until = Date.now() + START_MILLISECONDS; ;) {
    const [reply] = await connection.ask([question]);
    if (((reply?.[3] ?? 0) & 15) === 0) return;
    if (Date.now() > until) throw new Error(`${keyText(origin)} was not loaded`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Asks many questions at once, and knows the replies by their ids, which the caller makes unique. */
class TcpAsker {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (reply: Buffer) => void>();
  #failed: (() => void) | undefined;
  #bytes = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('close', () => this.#failed?.());
  }

  async ask(messages: readonly Buffer[]): Promise<Buffer[]> {
    const lost = new Promise<never>((_, reject) => {
      this.#failed = () => reject(new Error('the connection ended'));
    });
    const replies = messages.map(
      (message) => new Promise<Buffer>((resolve) => this.#waiting.set(message.readUInt16BE(0), resolve)),
    );
    for (const message of messages) {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      this.#socket.write(Buffer.concat([length, message]));
    }
    return Promise.race([Promise.all(replies), lost]);
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 2) {
      const end = 2 + this.#bytes.readUInt16BE(0);
      if (this.#bytes.length < end) return;
      const reply = Buffer.from(this.#bytes.subarray(2, end));
      this.#bytes = this.#bytes.subarray(end);
      const id = reply.readUInt16BE(0);
      this.#waiting.get(id)?.(reply);
      this.#waiting.delete(id);
    }
  }
}
