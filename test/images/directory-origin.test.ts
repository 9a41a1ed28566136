import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { DirectoryOrigin, type LocalFiles } from '../../src/images/directory-origin.ts';
import { LocalDirectories } from '../../src/images/import-source.ts';
import { readWhole } from '../../src/images/origin.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-directory-'));
after(() => rmSync(root, { recursive: true }));
const NEVER = new AbortController().signal;
const CONTENT = Buffer.alloc(2_500_000, 'content');
writeFileSync(join(root, 'file'), CONTENT);
mkdirSync(join(root, 'directory'));
execFileSync('mkfifo', [join(root, 'pipe')]);

const read = (origin: DirectoryOrigin, path: string, signal = NEVER) => readWhole(origin, path, 2 ** 30, signal);

test('a file comes whole, and from where it is asked', async () => {
  const origin = new DirectoryOrigin(root);
  assert.ok(CONTENT.equals((await read(origin, 'file')) ?? Buffer.of()));
  const { first, chunks } = await origin.open('file', { from: 2_499_999, signal: NEVER });
  assert.deepEqual([first, (await Array.fromAsync(chunks)).map(String)], [2_499_999, ['n']]);
});

for (const [path, says] of [
  ['none', 'no such file'],
  ['directory', 'expected a file'],
  ['pipe', 'expected a file'],
] as const) {
  test(`refused at once: ${path}`, async () => {
    await assert.rejects(read(new DirectoryOrigin(root), path), {
      name: 'TransferError',
      message: `${join(root, path)}: ${says}`,
      mayPass: false,
    });
  });
}

test('a file that is shorter than it is said to be is refused at once: no line was cut', async () => {
  const opened = new DirectoryOrigin(root).open('file', { from: 1000, size: 2_500_001, signal: NEVER });
  const message = `${join(root, 'file')}: expected 2500001 bytes, found 2500000`;
  await assert.rejects(opened, { name: 'TransferError', message, mayPass: false });
});

/** A file server that hangs at this call, until it is there again. */
function hangingAt(call: 'open' | 'read' | 'stat') {
  const back = Promise.withResolvers<void>();
  const state = { asked: 0, closed: 0, back: () => back.resolve() };
  const wait = (which: string): Promise<void> => (which === call ? back.promise : Promise.resolve());
  const handle = {
    read: async (buffer: Uint8Array) => (await wait('read'), { bytesRead: 0, buffer }),
    stat: async () => (await wait('stat'), { isFile: () => true }),
    close: async () => void state.closed++,
  };
  const open = async (): Promise<typeof handle> => {
    state.asked++;
    await wait('open');
    return handle;
  };
  return { state, files: { open } as unknown as LocalFiles };
}

for (const call of ['open', 'stat', 'read'] as const) {
  test(`a call of ${call} that hangs is given up on, nothing more is asked while it does, and all is closed in the end`, async () => {
    const { state, files } = hangingAt(call);
    const origin = new DirectoryOrigin('/srv', 20, files);
    const both = await Promise.allSettled([read(origin, 'a'), read(origin, 'b')]);
    const reasons = both.map((each) => (each.status === 'rejected' ? (each.reason as Error).message : ''));
    assert.deepEqual(reasons.toSorted(), [
      '/srv/a: hangs: nothing came for 0.02 s',
      '/srv/b: not read, as /srv/a hangs',
    ]);
    const { asked } = state;
    await assert.rejects(read(origin, 'c'), { message: '/srv/c: not read, as /srv/a hangs' });
    assert.equal(state.asked, asked);
    state.back();
    await nextTurn();
    assert.equal((await read(origin, 'c'))?.length, 0);
    assert.equal(state.closed, state.asked);
  });

  test(`a stop is heard while a call of ${call} hangs`, async () => {
    const { state, files } = hangingAt(call);
    const controller = new AbortController();
    const reading = read(new DirectoryOrigin('/srv', 1e6, files), 'a', controller.signal);
    await Promise.resolve();
    controller.abort();
    await assert.rejects(reading, { name: 'AbortError' });
    state.back();
  });
}

test('one directory is asked by one, and a file of the operator is read up to a size', async () => {
  const directories = new LocalDirectories();
  assert.equal(directories.at(root), directories.at(root));
  assert.ok(CONTENT.equals(await directories.read(join(root, 'file'), NEVER)));
  writeFileSync(join(root, 'large'), Buffer.alloc(5_000_000));
  await assert.rejects(directories.read(join(root, 'large'), NEVER), {
    name: 'StreamError',
    message: /at most 4194304/,
  });
});
