import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { capture } from '../../src/cli/capture.ts';
import { RefusedError } from '../../src/cli/control-client.ts';

const BYTES = Buffer.alloc(100, 7);
const directory = mkdtempSync(join(tmpdir(), 'rackboot-capture-'));
const control = join(directory, 'control.sock');
/** A daemon that hears something at once. */
const daemon = createServer((_request, response) => response.end(BYTES));
before(async () => {
  daemon.listen(control);
  await once(daemon, 'listening');
});
after(() => {
  daemon.close();
  rmSync(directory, { recursive: true });
});

function captureTo(out: string): Promise<number> {
  const options = {
    control,
    mac: '52:54:00:00:00:01',
    out,
    stop: new AbortController().signal,
    write: () => assert.fail(),
  };
  return capture(options, () => undefined);
}

test('what is in a capture is for its owner only, also in the place of a file that was for all', async () => {
  const file = join(directory, 'old.pcap');
  writeFileSync(file, 'x'.repeat(1000));
  chmodSync(file, 0o644);
  assert.equal(await captureTo(file), 0);
  assert.deepEqual(readFileSync(file), BYTES);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a link that somebody laid leads to nothing', async () => {
  const precious = join(directory, 'precious');
  writeFileSync(precious, 'precious');
  const link = join(directory, 'link.pcap');
  symlinkSync(precious, link);
  await assert.rejects(captureTo(link), RefusedError);
  assert.equal(readFileSync(precious, 'utf8'), 'precious');
});
