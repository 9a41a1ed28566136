import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';

import { askDaemon } from '../../src/cli/control-client.ts';
import { formatAuthorization, type RackCredentials } from '../../src/contract/rack-key.ts';
import { runCommand, type CommandResult } from '../../src/lab/run-command.ts';
import type { DeskOrder } from '../../src/region/region-desk.ts';
import { hashSecret } from '../../src/region/secret-hash.ts';
import { newKey } from '../region/region-rig.ts';
import { dyingWithTest } from './dying-with-test.ts';
import type { RackRig } from './rack-rig.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

export interface RegionOptions {
  /** `embedded`, or the URL of a PostgreSQL. */
  readonly database?: string;
  /** What runs it somewhere else: in a network namespace, say. */
  readonly inside?: readonly string[];
  /** Lines of its file beside what a test needs. */
  readonly config?: string;
  /** The program, where it is not the sources as they are. */
  readonly main?: string;
  readonly scheme?: 'http' | 'https';
}

/** A `rackboot region run` of its own, that may be killed and started again on what it has on disk. */
export class RegionProcess implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'rackboot-region-'));
  readonly port: number;
  readonly #options: Required<RegionOptions>;
  #child: ChildProcess | undefined;
  #log = '';

  static async start(options: RegionOptions = {}): Promise<RegionProcess> {
    const region = new RegionProcess(await freePort(), options);
    try {
      await region.start();
      return region;
    } catch (error) {
      await region[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(port: number, options: RegionOptions) {
    this.#options = { database: 'embedded', inside: [], config: '', main: MAIN, scheme: 'http', ...options };
    this.port = port;
    writeFileSync(this.#config, this.#options.config);
  }

  get url(): string {
    return `${this.#options.scheme}://127.0.0.1:${this.port}`;
  }

  get state(): string {
    return join(this.directory, 'state');
  }

  /** All that it wrote. */
  get log(): string {
    return this.#log;
  }

  get exitCode(): number | null | undefined {
    return this.#child?.exitCode;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const { main, inside } = this.#options;
    const words = [main, 'region', 'run', ...this.#flags(), '--listen', `127.0.0.1:${this.port}`];
    const [program = execPath, ...argv] = dyingWithTest([...inside, execPath, ...words]);
    const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const serves = new Promise<void>((resolve, reject) => {
      const hear = (chunk: string): void => {
        this.#log += chunk;
        if (chunk.includes('racks and operators are served')) resolve();
      };
      child.stdout.setEncoding('utf8').on('data', hear);
      child.stderr.setEncoding('utf8').on('data', hear);
      child.once('exit', () => reject(new Error(`the region ended: ${this.#log}`)));
    });
    await serves;
  }

  /** One of `rackboot region`, on this one's directory. */
  command(verb: string, ...words: readonly string[]): Promise<CommandResult> {
    return runCommand([execPath, MAIN, 'region', verb, ...this.#flags(), ...words]);
  }

  /** The same while it runs, without a process for it. */
  order(wish: DeskOrder): Promise<unknown> {
    return askDaemon(join(this.state, 'control.sock'), '/desk', 'POST', JSON.stringify(wish));
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** Makes this rack, whose daemon runs, one of its own. */
  async adopt(rack: RackRig): Promise<void> {
    const enrolled = await rack.rackboot('enrol', `--token=${await this.#token()}`);
    assert.equal(enrolled.code, 0, enrolled.output);
  }

  async enrol(name: string): Promise<RackCredentials & { readonly token: string }> {
    const token = await this.#token();
    const key = newKey();
    const body = JSON.stringify({ token, keyHash: hashSecret(key), name, version: '0.1.0' });
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${this.url}/racks/v1/enrol`, { method: 'POST', headers, body });
    const { rack } = (await response.json()) as { rack: string };
    return { rack, key, token };
  }

  /** As this rack; throws where the region is gone. */
  async say(rack: RackCredentials, method: string, path: string, body?: unknown) {
    const headers = { authorization: formatAuthorization(rack), 'content-type': 'application/json' };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(this.url + path, { method, headers, ...sent });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #token(): Promise<string> {
    return (await this.command('enrol-rack')).output.trim();
  }

  get #config(): string {
    return join(this.directory, 'region.yaml');
  }

  #flags(): string[] {
    return ['--config', this.#config, '--state', this.state, '--database', this.#options.database];
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
