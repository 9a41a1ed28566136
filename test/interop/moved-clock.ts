import { globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of Debian's libfaketime, for programs with threads. */
const LIBRARY = '/usr/lib/*/faketime/libfaketimeMT.so.1';
const DAY = 86_400_000;

/** Why no clock can be moved here; false when one can. */
export function clockStays(): string | false {
  return globSync(LIBRARY).length > 0 ? false : 'needs the Debian package faketime';
}

/**
 * A wall clock of a test's own for programs that it starts: what the system tells them is moved by whole days. Their monotonic clocks
 * and timers go on as ever. To be moved while none of them runs.
 */
export class MovedClock {
  readonly #file: string;
  #ahead = 0;

  constructor(directory: string) {
    this.#file = join(directory, 'moved-clock');
    this.daysAgo(0);
  }

  /** What a program is started with, so that it goes by this clock. */
  get wrapper(): readonly string[] {
    const [library = ''] = globSync(LIBRARY);
    const settings = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // What it shares would stay behind when a program is killed
      FAKETIME_DISABLE_SHM: '1',
    };
    return ['env', ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)];
  }

  daysAgo(days: number): void {
    this.#ahead = -days * DAY;
    writeFileSync(this.#file, `${days === 0 ? '+' : '-'}${days}d\n`);
  }

  /** Unix milliseconds. */
  now(): number {
    return Date.now() + this.#ahead;
  }
}
