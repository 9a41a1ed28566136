import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, test } from 'node:test';

import { DirectoryOrigin } from '../../src/images/directory-origin.ts';
import { readStream } from '../../src/images/streams/read-stream.ts';
import { createMirrorKey, writeMirror } from '../../src/lab/mirror.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-mirror-'));
after(() => rmSync(root, { recursive: true }));
const NEVER = new AbortController().signal;

test("the lab's mirror is read as real ones are: signed, and with its files where it says", async () => {
  const [kernel, initrd] = [join(root, 'k'), join(root, 'i')];
  writeFileSync(kernel, 'kernel');
  writeFileSync(initrd, 'initrd');
  const content = { architecture: 'arm64', kernel, initrd, version: '7' } as const;
  const { url, keyring } = await writeMirror(join(root, 'mirror'), await createMirrorKey(), content);
  const directory = fileURLToPath(url);
  const keys = { file: keyring, bytes: readFileSync(keyring) };
  const { versions } = await readStream({ origin: new DirectoryOrigin(directory), keyring: keys }, NEVER, Date.now());
  assert.deepEqual(
    versions.map(({ os, release, arch, version }) => [os, release, arch, version]),
    [['debian', 'lab', 'arm64', '7']],
  );
  const texts = versions[0]?.items.map(({ path }) => readFileSync(join(directory, path), 'utf8'));
  assert.deepEqual(texts, ['kernel', 'initrd']);
  const stranger = { file: keyring, bytes: Buffer.from((await createMirrorKey()).publicKey) };
  await assert.rejects(readStream({ origin: new DirectoryOrigin(directory), keyring: stranger }, NEVER, Date.now()), {
    message: /signature refused/,
  });
});
