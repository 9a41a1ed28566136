import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

import { Outbox } from '../../src/sync/outbox.ts';
import { systemClock } from '../../src/system/clock.ts';
import { RegionModel } from './region-model.ts';

const WRITER = join(import.meta.dirname, 'outbox-writer.ts');
const BOUNDS = { milliseconds: 86_400_000, bytes: 2 ** 30 };
const KILLS = 4;

/** Letters that it says are written, until it is killed at the `most`th. */
async function writeAndKill(file: string, first: number, most: number): Promise<number> {
  const writer = spawn(execPath, [WRITER, file, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(writer, 'exit');
  let last = first - 1;
  let said = 0;
  for await (const line of createInterface({ input: writer.stdout })) {
    if (line === 'open') continue;
    last = Number(line);
    if (++said === most) writer.kill('SIGKILL');
  }
  await exited;
  return last;
}

test('a process that is killed while it writes loses nothing that it said was written, and nothing is there twice', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-outbox-kill-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'outbox.db');
  const region = new RegionModel();
  let written = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    // The last letter again, as by a process that did not hear that it was taken
    written = await writeAndKill(file, Math.max(1, written), 20 * kill);
    const outbox = new Outbox(file, systemClock, BOUNDS);
    // Half of it is sent, and half of that is not known to have arrived
    const batch = outbox.lend(Math.ceil(outbox.count / 2), 1_000_000);
    const kept = region.keep(outbox.stream, batch);
    outbox.settle(kept - Math.floor(batch.length / 2));
    outbox.close();
  }
  const outbox = new Outbox(file, systemClock, BOUNDS);
  t.after(() => outbox.close());
  region.keep(outbox.stream, outbox.lend(1_000_000, 1_000_000_000));
  const expected = Array.from({ length: written }, (_, i) => [0, 1, 2].map((part) => `${i + 1}.${part}`)).flat();
  // One letter may be on disk that the killed one could not tell of any more
  assert.deepEqual(region.names.slice(0, expected.length), expected);
  assert.ok(region.names.length - expected.length <= 3, `${region.names.length} of ${expected.length}`);
});
