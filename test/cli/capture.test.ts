import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { capture } from '../../src/cli/capture.ts';
import { RefusedError, UnreachableError } from '../../src/cli/control-client.ts';

const PCAP = Buffer.alloc(60, 7);

interface Ground {
  readonly directory: string;
  readonly take: (out: string) => Promise<number>;
}

/** A directory, and a daemon that answers each capture like this. */
async function groundOf(
  t: TestContext,
  answer = (response: ServerResponse) => void response.end(PCAP),
): Promise<Ground> {
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-capture-'));
  const control = join(directory, 'control.sock');
  const server = createServer((_request, response) => answer(response)).listen(control);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });
  const stop = new AbortController().signal;
  const take = (out: string): Promise<number> =>
    capture({ control, mac: '52:54:00:00:00:01', out, stop, write: () => {} }, () => {});
  return { directory, take };
}

test('a file that was there and open to all is begun anew for its owner’s eyes only', async (t) => {
  const { directory, take } = await groundOf(t);
  const out = join(directory, 'old.pcap');
  writeFileSync(out, 'x'.repeat(1000));
  chmodSync(out, 0o644);
  assert.equal(await take(out), 0);
  assert.deepEqual([readFileSync(out), statSync(out).mode & 0o777], [PCAP, 0o600]);
});

test('a link is not followed, wherever it leads', async (t) => {
  const { directory, take } = await groundOf(t);
  const [victim, out] = [join(directory, 'victim'), join(directory, 'link.pcap')];
  writeFileSync(victim, 'kept');
  symlinkSync(victim, out);
  await assert.rejects(take(out), /link\.pcap: expected a file that can be written, found a link/);
  assert.deepEqual([readFileSync(victim, 'utf8'), lstatSync(out).isSymbolicLink()], ['kept', true]);
});

test('what is no file is refused at once, and a directory that is not there', async (t) => {
  const { directory, take } = await groundOf(t);
  const fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  for (const out of [fifo, '/dev/full', directory, join(directory, 'none', 'x')])
    await assert.rejects(take(out), (error) => error instanceof RefusedError && error.message.startsWith(out));
});

test('a daemon that ends in the midst is told of, and what came until then is there', async (t) => {
  const { directory, take } = await groundOf(t, (response) => {
    response.write(PCAP);
    setImmediate(() => response.socket?.destroy());
  });
  const out = join(directory, 'cut.pcap');
  await assert.rejects(take(out), UnreachableError);
  assert.deepEqual(readFileSync(out), PCAP);
});
