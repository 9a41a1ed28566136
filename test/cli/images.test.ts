import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { images } from '../../src/cli/images.ts';
import type { ImageList } from '../../src/rack/image-routes.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-images-'));
after(() => rmSync(root, { recursive: true }));

/** What `rackboot images` says when the daemon answers this. */
async function said(list: ImageList): Promise<{ code: number; lines: string[] }> {
  const control = join(mkdtempSync(join(root, 'run-')), 'control.sock');
  const daemon = createServer((_request, response) => response.end(JSON.stringify(list))).listen(control);
  await once(daemon, 'listening');
  const lines: string[] = [];
  const code = await images({ control, json: false }, (line) => lines.push(line));
  daemon.close();
  return { code, lines };
}

test('a rack where all is well says so', async () => {
  assert.deepEqual(await said({ images: [], sources: [] }), { code: 0, lines: ['no image is here'] });
});

test('an index that was begun anew is told of, and is not well', async () => {
  const held = { since: '2026-07-18T09:30:42.000Z', reason: 'no such file' };
  assert.deepEqual(await said({ images: [], sources: [], held }), {
    code: 1,
    lines: [
      'no image is here',
      'the index of images was begun anew at 2026-07-18T09:30:42.000Z (no such file): no file is removed before every source was imported whole; images that were added by hand are to be added again',
    ],
  });
});
