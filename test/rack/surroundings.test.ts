import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { formatIp4 } from '../../src/addr/ip4.ts';
import type { ImageChanges } from '../../src/images/image-store.ts';
import { imageIndex, openImageStore } from '../../src/images/open-image-store.ts';
import { imageShelf } from '../../src/plan/stored-image.ts';
import { createSurvey } from '../../src/rack/surroundings.ts';
import { imageRow } from '../images/image-fixture.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-surroundings-'));
after(() => rmSync(directory, { recursive: true }));
const surroundings = createSurvey()();

test('a file is there when it is a regular file that can be read, itself or through a link', () => {
  const file = join(directory, 'vmlinuz');
  writeFileSync(file, 'x');
  symlinkSync(file, join(directory, 'link'));
  symlinkSync(join(directory, 'gone'), join(directory, 'dangling'));
  assert.equal(surroundings.fileExists(file), true);
  assert.equal(surroundings.fileExists(join(directory, 'link')), true);
  assert.equal(surroundings.fileExists(join(directory, 'dangling')), false);
  assert.equal(surroundings.fileExists(directory), false);
  assert.equal(surroundings.fileExists(join(file, 'below')), false);
  assert.deepEqual(
    [file, join(directory, 'link'), directory, join(file, 'below')].map((path) => surroundings.fileSize?.(path)),
    [1, 1, undefined, undefined],
  );
});

test('a file that may not be read is not there', { skip: process.getuid?.() === 0 && 'root reads everything' }, () => {
  const file = join(directory, 'secret');
  writeFileSync(file, 'x');
  chmodSync(file, 0);
  assert.equal(surroundings.fileExists(file), false);
});

test('a directory is there when it is one', () => {
  const file = join(directory, 'plain');
  writeFileSync(file, 'x');
  assert.equal(surroundings.directoryExists(directory), true);
  assert.equal(surroundings.directoryExists(file), false);
  assert.equal(surroundings.directoryExists(join(directory, 'gone')), false);
  assert.equal(surroundings.directoryExists(join(file, 'below')), false);
});

test('interfaces come with address and prefix, the host with its name', () => {
  assert.equal(surroundings.hostName, hostname());
  for (const { name, address, prefix } of surroundings.interfaces) {
    assert.match(name, /^\S+$/);
    assert.match(formatIp4(address), /^\d+\.\d+\.\d+\.\d+$/);
    assert.ok(prefix > 0 && prefix <= 32);
  }
});

test('images that the index lost are known until it has others in their place, or says that they are no more', () => {
  const state = mkdtempSync(join(directory, 'state-'));
  mkdirSync(imageShelf(state), { recursive: true });
  const here = createSurvey()();
  const images = () =>
    here
      .images?.(state)
      .map(({ release, version }) => `${release} ${version}`)
      .toSorted();
  const change = (changes: ImageChanges): void => {
    const { store } = openImageStore(imageIndex(state), 0);
    store.write(changes);
    store.close();
  };
  change({ set: ['jammy', 'noble', 'plucky'].map((release) => imageRow({ release, version: '1' })) });
  writeFileSync(join(imageShelf(state), 'a'.repeat(64)), 'kernel');
  assert.deepEqual(images(), ['jammy 1', 'noble 1', 'plucky 1']);
  writeFileSync(imageIndex(state), '');
  assert.deepEqual(images(), ['jammy 1', 'noble 1', 'plucky 1']);
  rmSync(imageIndex(state));
  assert.deepEqual(images(), ['jammy 1', 'noble 1', 'plucky 1']);
  const gone = imageRow({ release: 'plucky', version: '1', retiredAt: 7 });
  change({ set: [imageRow({ release: 'noble', version: '2' }), gone] });
  assert.deepEqual(images(), ['jammy 1', 'noble 2']);
  change({ closesGap: true });
  assert.deepEqual(images(), ['noble 2']);
});
