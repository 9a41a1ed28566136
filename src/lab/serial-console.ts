import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';

/** What a machine writes on its serial console, kept whole. */
export interface SerialConsole {
  /** The log on disk: the bytes as they came, cursor movements of the firmware included. */
  readonly file: string;
  /** Every line from power-on, then each new one as it comes, until the machine is off. */
  lines(): AsyncIterable<string>;
  /** The lines so far that match. */
  said(pattern: RegExp): string[];
  /** The last lines that are not empty. */
  tail(count: number): string[];
}

/** Reads a serial console from `input` and copies it to `file`. */
export function readSerial(input: Readable, file: string): SerialConsole {
  const seen: string[] = [];
  let ended = false;
  let wake = Promise.withResolvers<void>();
  const notify = (): void => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  const log = input.pipe(createWriteStream(file));
  const reader = createInterface({ input, crlfDelay: Infinity });
  reader.on('line', (line) => {
    seen.push(stripVTControlCharacters(line).trimEnd());
    notify();
  });
  // The log on disk is whole when the lines end.
  const endOfAll = async (): Promise<void> => {
    await Promise.all([once(reader, 'close'), once(log, 'close')]);
    ended = true;
    notify();
  };
  void endOfAll();
  return {
    file,
    async *lines() {
      for (let next = 0; ;) {
        for (; next < seen.length; next++) yield seen[next] ?? '';
        if (ended) return;
        await wake.promise;
      }
    },
    said: (pattern) => seen.filter((line) => pattern.test(line)),
    tail: (count) => seen.filter((line) => line !== '').slice(-count),
  };
}
