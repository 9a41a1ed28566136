import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { DirectoryOrigin } from '../../src/images/directory-origin.ts';
import { download, type DownloadDesk } from '../../src/images/download.ts';
import { FileShelf } from '../../src/images/file-shelf.ts';
import { HttpOrigin } from '../../src/images/http-origin.ts';
import { TestMirror, type Mischief } from './test-mirror.ts';

const BLOCK = 1024 * 1024;
const CONTENT = randomBytes(5 * BLOCK + 1234);
const FILE = { path: 'noble/boot kernel', sha256: sha256(CONTENT), size: CONTENT.length };
const root = mkdtempSync(join(tmpdir(), 'rackboot-download-'));
const mirror = await TestMirror.start([[FILE.path, CONTENT]]);
after(() => {
  mirror.close();
  rmSync(root, { recursive: true });
});

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

interface Trial {
  readonly shelf: FileShelf;
  readonly waits: number[];
  readonly bytes: { came: number; here: number };
  readonly run: (signal?: AbortSignal) => Promise<void>;
}

function trial(of: (nth: number) => Mischief = () => ({}), shelf = newShelf()): Trial {
  mirror.asked.length = 0;
  mirror.sent = 0;
  mirror.misbehave((_path, nth) => of(nth));
  const waits: number[] = [];
  const bytes = { came: 0, here: 0 };
  const origin = new HttpOrigin({ base: new URL(mirror.url), silenceMilliseconds: 300 });
  const desk: Omit<DownloadDesk, 'signal'> = {
    shelf,
    toll: () => 0,
    onBytes: (count, came) => (bytes[came ? 'came' : 'here'] += count),
    sleep: (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
  };
  const run = async (signal = new AbortController().signal): Promise<void> => {
    try {
      await download(FILE, origin, { ...desk, signal });
    } finally {
      origin.close();
    }
  };
  return { shelf, waits, bytes, run };
}

function newShelf(): FileShelf {
  const shelf = new FileShelf(mkdtempSync(join(root, 'state-')));
  shelf.prepare();
  return shelf;
}

function assertRight(shelf: FileShelf): void {
  assert.ok(readFileSync(shelf.pathOf(FILE.sha256)).equals(CONTENT));
  assert.deepEqual(shelf.parts(), []);
  assert.equal(shelf.partMark(FILE.sha256), undefined);
}

test('a file comes whole, by its name in the stream, and is on the shelf by its checksum', async () => {
  const { shelf, run, bytes } = trial();
  await run();
  assertRight(shelf);
  assert.deepEqual(mirror.asked, [{ path: FILE.path }]);
  assert.deepEqual(bytes, { came: CONTENT.length, here: 0 });
});

test('a connection that is cut is taken up where it ended, and no byte comes twice', async () => {
  const cuts = [700_000, 1_500_000, 10_000, 2_000_000];
  const { shelf, run, waits } = trial((nth) => (cuts[nth] === undefined ? {} : { cutAfter: cuts[nth] }));
  await run();
  assertRight(shelf);
  assert.equal(mirror.asked.length, 5);
  // What the reset itself swallowed in the sockets' buffers was sent, but never came
  const asked = mirror.asked.slice(1).map(({ range }) => Number(/\d+/.exec(range ?? '')?.[0]));
  assert.deepEqual(
    asked,
    asked.toSorted((a, b) => a - b),
  );
  assert.ok(mirror.asked.slice(1).every(({ ifRange }) => ifRange === `"${CONTENT.length}"`));
  assert.equal(waits.length, 4);
});

test('an answer that ends early as if all were well is taken up as well', async () => {
  const { shelf, run } = trial((nth) => (nth === 0 ? { endAfter: 3 * BLOCK } : {}));
  await run();
  assertRight(shelf);
  assert.equal(mirror.asked[1]?.range, `bytes=${3 * BLOCK}-`);
  assert.equal(mirror.sent, CONTENT.length);
});

test('a server that falls silent is given up on, and asked again', async () => {
  const { shelf, run } = trial((nth) => (nth === 0 ? { silentAfter: 2 * BLOCK } : {}));
  await run();
  assertRight(shelf);
  assert.equal(mirror.asked[1]?.range, `bytes=${2 * BLOCK}-`);
});

test('what an earlier process began is gone on with', async () => {
  const shelf = newShelf();
  writeFileSync(shelf.partOf(FILE.sha256), CONTENT.subarray(0, 3 * BLOCK));
  const { run, bytes } = trial(undefined, shelf);
  await run();
  assertRight(shelf);
  assert.equal(mirror.sent, CONTENT.length - 3 * BLOCK);
  assert.deepEqual(bytes, { came: CONTENT.length - 3 * BLOCK, here: 3 * BLOCK });
});

test('what is all here but for the name is not asked for at all', async () => {
  const shelf = newShelf();
  writeFileSync(shelf.partOf(FILE.sha256), CONTENT);
  await trial(undefined, shelf).run();
  assertRight(shelf);
  assert.deepEqual(mirror.asked, []);
});

for (const [name, spoilt] of [
  ['spoilt on disk', Buffer.concat([Buffer.from([~(CONTENT[0] ?? 0) & 255]), CONTENT.subarray(1, 2 * BLOCK)])],
  ['longer than the file', Buffer.concat([CONTENT, Buffer.from('more')])],
] as const) {
  test(`a part that is ${name} is fetched anew`, async () => {
    const shelf = newShelf();
    writeFileSync(shelf.partOf(FILE.sha256), spoilt);
    await trial(undefined, shelf).run();
    assertRight(shelf);
  });
}

test('a file that changed on the server meanwhile comes from its first byte', async () => {
  const shelf = newShelf();
  writeFileSync(shelf.partOf(FILE.sha256), CONTENT.subarray(0, BLOCK));
  shelf.markPart(FILE.sha256, { place: new URL('noble/boot%20kernel', mirror.url).href, validator: '"older"' });
  await trial(undefined, shelf).run();
  assertRight(shelf);
  assert.equal(mirror.asked[0]?.ifRange, '"older"');
  assert.equal(mirror.asked.length, 1);
});

test('a server without ranges sends it all again, and what is here is passed over', async () => {
  const { shelf, run } = trial((nth) => (nth === 0 ? { cutAfter: 2 * BLOCK } : { noRanges: true }));
  await run();
  assertRight(shelf);
});

const REFUSED: readonly (readonly [name: string, of: (nth: number) => Mischief, says: RegExp, asked: number])[] = [
  [
    'another content of the same length',
    () => ({ content: randomBytes(FILE.size) }),
    /expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}$/,
    1,
  ],
  [
    'more than was announced',
    () => ({ content: Buffer.concat([CONTENT, CONTENT]) }),
    /expected \d+ bytes, found more/,
    1,
  ],
  ['a file that is not there', () => ({ status: 404 }), /noble\/boot%20kernel: answers 404$/, 1],
  ['a part that begins elsewhere', (nth) => (nth === 0 ? { endAfter: BLOCK } : { wrongBy: 1 }), /got another part/, 2],
  ['a server that is always in trouble', () => ({ status: 503 }), /answers 503$/, 6],
  ['a file that always ends early', (nth) => ({ endAfter: nth === 0 ? 100 : 0 }), /ends early$/, 7],
  [
    'a redirect to a file of this machine',
    () => ({ redirectTo: 'file:///etc/shadow' }),
    /redirects to what is not fetched/,
    1,
  ],
  ['a redirect in a circle', () => ({ redirectTo: '/noble/boot%20kernel' }), /redirects more than 5 times/, 6],
];
for (const [name, of, says, asked] of REFUSED) {
  test(`refused, and nothing is on the shelf: ${name}`, async () => {
    const { shelf, run } = trial(of);
    await assert.rejects(run(), { name: 'TransferError', message: says });
    assert.deepEqual(shelf.list(), []);
    assert.equal(mirror.asked.length, asked);
  });
}

test('tries are further apart each time nothing came, and close again after something did', async () => {
  const { run, waits } = trial((nth) => (nth < 3 ? { status: 503 } : nth === 3 ? { endAfter: BLOCK } : {}));
  await run();
  assert.deepEqual(waits, [2_000, 4_000, 8_000, 1_000]);
});

test('a mirror that lets a byte come with each try is given up on', async () => {
  const { shelf, run, waits } = trial(() => ({ endAfter: 1 }));
  await assert.rejects(run(), { name: 'TransferError', message: /ends early$/ });
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
  assert.equal(shelf.partSize(FILE.sha256), 7);
});

test('what came before a stop is kept', async () => {
  const controller = new AbortController();
  const { shelf, run } = trial(() => ({ silentAfter: 2 * BLOCK }));
  const running = run(controller.signal);
  setTimeout(() => controller.abort(), 150);
  await assert.rejects(running, { name: 'AbortError' });
  const kept = readFileSync(shelf.partOf(FILE.sha256));
  assert.ok(kept.length > 0 && kept.equals(CONTENT.subarray(0, kept.length)), `${kept.length} bytes`);
  await trial(undefined, shelf).run();
  assertRight(shelf);
  assert.equal(mirror.asked[0]?.range, `bytes=${kept.length}-`);
});

test('a directory is a mirror too', async () => {
  const directory = mkdtempSync(join(root, 'mirror-'));
  mkdirSync(join(directory, 'noble'));
  writeFileSync(join(directory, FILE.path), CONTENT);
  const shelf = newShelf();
  writeFileSync(shelf.partOf(FILE.sha256), CONTENT.subarray(0, BLOCK));
  const desk = {
    shelf,
    signal: new AbortController().signal,
    toll: () => 0,
    onBytes: () => undefined,
    sleep: () => Promise.resolve(),
  };
  await download(FILE, new DirectoryOrigin(directory), desk);
  assertRight(shelf);
  const missing = { ...FILE, path: 'noble/none', sha256: '0'.repeat(64) };
  await assert.rejects(download(missing, new DirectoryOrigin(directory), desk), {
    message: /noble\/none: no such file$/,
  });
});
