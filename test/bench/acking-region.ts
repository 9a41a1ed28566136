import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { execPath } from 'node:process';

const SERVER = join(import.meta.dirname, 'acking-server.ts');

/** In the place of a region, on its port: takes all and keeps nothing, so that it costs this computer next to nothing. */
export class AckingRegion implements AsyncDisposable {
  readonly #port: number;
  readonly #inside: readonly string[];
  #child: ChildProcess | undefined;

  /** `inside`: what runs it somewhere else. */
  constructor(port: number, inside: readonly string[]) {
    this.#port = port;
    this.#inside = inside;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const [program, ...argv] = [...this.#inside, execPath, SERVER, String(this.#port)];
    const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('the acking region ended')));
    await Promise.race([once(child.stdout, 'data'), ended]);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end('SIGKILL');
  }
}
