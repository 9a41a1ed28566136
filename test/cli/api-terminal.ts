import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { api, type ApiOptions } from '../../src/cli/api.ts';

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Somebody at a terminal, with a home of his own, who types `rackboot api …`. */
export class ApiTerminal implements Disposable {
  readonly home = mkdtempSync(join(tmpdir(), 'rackboot-api-'));
  readonly profiles = join(this.home, '.config', 'rackboot', 'profiles.json');
  /** What comes by standard input. */
  input = '';

  readonly say = (...words: string[]): Promise<Said> => this.#run({}, words);
  /** Into a pipe. */
  readonly pipe = (...words: string[]): Promise<Said> => this.#run({ isTerminal: false }, words);
  readonly sayWith = (changed: Partial<ApiOptions>, ...words: string[]): Promise<Said> => this.#run(changed, words);

  async #run(changed: Partial<ApiOptions>, words: string[]): Promise<Said> {
    let [out, err] = [Buffer.alloc(0), ''];
    const code = await api({
      words,
      environment: { HOME: this.home },
      now: () => Date.now(),
      isTerminal: true,
      readInput: () => Promise.resolve(this.input),
      write: (bytes) => (out = Buffer.concat([out, bytes])),
      print: (line) => (out = Buffer.concat([out, Buffer.from(`${line}\n`)])),
      complain: (line) => (err += `${line}\n`),
      ...changed,
    });
    return { code, out: out.toString('utf8'), err };
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true });
  }
}
