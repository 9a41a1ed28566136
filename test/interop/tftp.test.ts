import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { parseIp4, type Ip4 } from '../../src/addr/ip4.ts';
import type { FromService, SocketHandle, ThreadData, ToService } from '../../src/service/letters.ts';
import { loadLibc } from '../../src/system/libc.ts';
import { boundPort, openUdp } from '../../src/system/udp-socket.ts';
import { Wake } from '../../src/system/wake.ts';
import type { RackEvent } from '../../src/timeline/event.ts';
import { testPlan } from '../tftp/test-rack.ts';

/** The part of tftp2's client that reads; it knows no options. */
interface PlainClient {
  read(file: string, push: (block: Uint8Array) => void, done: () => void): Promise<void>;
  close(): void;
}

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const createPlainClient = require('tftp2') as (host: string, port: number) => PlainClient;
const LOOPBACK = parseIp4('127.0.0.1') as Ip4;
const directory = mkdtempSync(join(tmpdir(), 'rackboot-interop-'));
const content = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7 + (at >>> 9)) & 255));
const events: RackEvent[] = [];
const libc = loadLibc();
const wake = new Wake(libc);
const fd = openUdp(libc, { address: LOOPBACK, port: 0 });
const port = boundPort(libc, fd);
let thread: Worker;

/** The service as the rack runs it: its thread, its letters, a socket that the rack opened. */
before(async () => {
  writeFileSync(join(directory, 'kernel'), content);
  writeFileSync(join(directory, 'full'), content.subarray(0, 1024));
  writeFileSync(join(directory, 'empty'), '');
  writeFileSync(join(directory, 'note'), 'one\ntwo\n');
  const workerData: ThreadData = { name: 'tftp', wakeFd: wake.fd, cookieKey: new Uint8Array(32) };
  thread = new Worker(new URL('../../src/tftp/thread.ts', import.meta.url), { workerData });
  thread.on('message', (letter: FromService) => {
    if (letter.type === 'events') events.push(...letter.events);
  });
  const handle: SocketHandle = { fd, transport: 'udp', address: LOOPBACK, port };
  const ready = once(thread, 'message');
  post({ type: 'plan', plan: testPlan(directory), sockets: [handle] });
  assert.deepEqual(await ready, [{ type: 'ready' }]);
});

after(async () => {
  const exited = once(thread, 'exit');
  post({ type: 'stop' });
  await exited;
  wake.close();
  libc.close(fd);
  rmSync(directory, { recursive: true });
});

function post(letter: ToService): void {
  thread.postMessage(letter);
  wake.ring();
}

/** Why a test that needs `program` can't run; false when it can. */
function lacks(program: string): string | false {
  const paths = (process.env['PATH'] ?? '').split(delimiter);
  return paths.some((path) => existsSync(join(path, program))) ? false : `${program} is not installed`;
}

for (const file of ['kernel', 'full', 'empty', 'note']) {
  test(`tftp2, with 512-byte blocks and no options, reads ${file}`, { timeout: 30_000 }, async (t) => {
    const client = createPlainClient('127.0.0.1', port);
    t.after(() => client.close());
    const blocks: Uint8Array[] = [];
    await client.read(
      file,
      (block) => blocks.push(block),
      () => undefined,
    );
    assert.deepEqual(Buffer.concat(blocks), readFileSync(join(directory, file)));
  });
}

for (const blockSize of [8, 512, 1468, 8192]) {
  test(`curl reads with a block size of ${blockSize}`, { skip: lacks('curl'), timeout: 30_000 }, async () => {
    const file = blockSize === 8 ? 'full' : 'kernel';
    const { stdout } = await run(
      'curl',
      ['--silent', '--show-error', '--tftp-blksize', `${blockSize}`, `tftp://127.0.0.1:${port}/${file}`],
      { encoding: 'buffer' },
    );
    assert.deepEqual(stdout, readFileSync(join(directory, file)));
  });
}

test('curl without options reads, too', { skip: lacks('curl'), timeout: 30_000 }, async () => {
  const url = `tftp://127.0.0.1:${port}/kernel`;
  const { stdout } = await run('curl', ['--silent', '--tftp-no-options', url], { encoding: 'buffer' });
  assert.deepEqual(stdout, content);
});

test('curl is told of a missing file', { skip: lacks('curl'), timeout: 30_000 }, async () => {
  // 68: "TFTP: File Not Found" (curl's list of exit codes)
  await assert.rejects(run('curl', ['--silent', `tftp://127.0.0.1:${port}/no/such`]), { code: 68 });
});

test('curl that writes is refused', { skip: lacks('curl'), timeout: 30_000 }, async () => {
  // 69: "TFTP: access violation"
  const upload = ['--silent', '--upload-file', join(directory, 'note'), `tftp://127.0.0.1:${port}/note`];
  await assert.rejects(run('curl', upload), { code: 69 });
});

const atftpOptions: readonly (readonly string[])[] = [
  [],
  ['tsize'],
  ['tsize', 'blksize 1428'],
  ['timeout 2', 'blksize 8192'],
  ['windowsize 4', 'blksize 1428'],
  ['windowsize 16', 'tsize'],
];

for (const options of atftpOptions) {
  const words = options.length > 0 ? options.join(' and ') : 'no options';
  test(`atftp reads with ${words}`, { skip: lacks('atftp'), timeout: 30_000 }, async () => {
    const local = join(directory, 'fetched');
    const asked = options.flatMap((option) => ['--option', option]);
    await run('atftp', [...asked, '--get', '--remote-file', 'kernel', '--local-file', local, '127.0.0.1', `${port}`]);
    assert.deepEqual(readFileSync(local), content);
  });
}

test('eight clients at once each get their file', { skip: lacks('curl'), timeout: 30_000 }, async () => {
  const url = `tftp://127.0.0.1:${port}/kernel`;
  const fetches = Array.from({ length: 8 }, () => run('curl', ['--silent', url], { encoding: 'buffer' }));
  for (const { stdout } of await Promise.all(fetches)) assert.deepEqual(stdout, content);
});

test('the thread told of all this in events', () => {
  const kinds = new Set(events.map(({ kind }) => kind));
  assert.deepEqual([...kinds].toSorted(), ['tftp.refused', 'tftp.sent']);
  assert.ok(events.every(({ source, address }) => source === 'tftp' && address === '127.0.0.1'));
});
