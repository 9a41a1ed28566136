import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { addOwnImage, exportImages } from '../../src/cli/image-files.ts';
import { readProducts } from '../../src/images/streams/read-products.ts';
import { wantedItems } from '../../src/images/wanted-items.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-own-'));
after(() => rmSync(root, { recursive: true }));

test('a device tree that is given with a kernel is in the image, and in the mirror that is made of it', async () => {
  const state = join(root, 'state');
  mkdirSync(state);
  const config = join(root, 'rackboot.yaml');
  writeFileSync(config, `rack: { state: ${state} }\n`);
  const own = (name: string): string => {
    writeFileSync(join(root, name), name);
    return join(root, name);
  };
  const options = { config, control: join(root, 'no.sock'), json: true };
  const lines: string[] = [];
  const files = { kernel: own('kernel'), dtb: own('board.dtb') };
  assert.equal(await addOwnImage({ ...options, ...files }, 'custom/board/armhf', (line) => lines.push(line)), 0);
  assert.match(lines[0] ?? '', /"arch":"armhf"/);
  const out = join(root, 'out');
  await exportImages({ config }, out, () => undefined);
  const streams = join(out, 'streams/v1');
  const name = readdirSync(streams).find((file) => file.endsWith('.json') && file !== 'index.json') ?? '';
  const [version] = readProducts(readFileSync(join(streams, name), 'utf8'), name).versions;
  assert.ok(version);
  const texts = wantedItems(version).map(({ ftype, path }) => [ftype, readFileSync(join(out, path), 'utf8')]);
  assert.deepEqual(texts, [
    ['boot-kernel', 'kernel'],
    ['boot-dtb', 'board.dtb'],
  ]);
});
