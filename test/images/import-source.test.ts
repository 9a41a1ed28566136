import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { importSource, LocalDirectories } from '../../src/images/import-source.ts';
import type { StreamPlace } from '../../src/images/streams/read-stream.ts';
import type { ImageSource } from '../../src/plan/plan.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-import-source-'));
after(() => rmSync(root, { recursive: true }));
const file = join(root, 'keys.gpg');
writeFileSync(file, 'keys in a file');

function open(trust: Pick<ImageSource, 'keyring' | 'keyringData'>): Promise<StreamPlace> {
  const source = { name: 'm.example', url: 'https://m.example/', keep: 1, selections: [], ...trust };
  return importSource(source, new LocalDirectories()).open(new AbortController().signal);
}

const data = Buffer.from('keys as they are').toString('base64');
for (const [what, trust, keys] of [
  ['keys of a file', { keyring: file }, [file, 'keys in a file']],
  ['keys that were given with it', { keyringData: data }, ['keyring-data of m.example', 'keys as they are']],
  ['none: it is believed without', {}, undefined],
] as const) {
  test(`a source is judged by ${what}`, async () => {
    const { keyring } = await open(trust);
    assert.deepEqual(keyring && [keyring.file, Buffer.from(keyring.bytes).toString()], keys);
  });
}

test('a source whose keys can’t be read is not believed without', async () => {
  await assert.rejects(open({ keyring: join(root, 'gone') }), /the keyring .*gone/);
});
