import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { readDescription } from '../../src/api-client/description.ts';
import { Profiles, ProfilesFault, type Profile } from '../../src/api-client/profiles.ts';
import { API_1_0 } from './describe-fixture.ts';

const PROFILE: Profile = {
  name: 'lab',
  address: 'http://region.example/MAAS/api/1.0/',
  key: { consumer: 'a', token: 'b', secret: 'c' },
  description: readDescription(JSON.stringify(API_1_0)),
};

function inFolder(work: (file: string, directory: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'rackboot-profiles-'));
  try {
    const directory = join(folder, 'config', 'rackboot');
    work(join(directory, 'profiles.json'), directory);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;
const says = (sentence: RegExp) => (error: unknown) =>
  error instanceof ProfilesFault && sentence.test(error.message) && !error.message.includes('\n');

test('where there is no file there are no profiles, and none is made by looking', () => {
  inFolder((file) => {
    const profiles = new Profiles(file);
    assert.deepEqual(profiles.all(), []);
    assert.equal(profiles.remove('lab'), false);
    assert.throws(() => statSync(file));
  });
});

test('profiles are kept in the order in which they were made, for their owner only', () => {
  inFolder((file, directory) => {
    new Profiles(file).put(PROFILE);
    new Profiles(file).put({ ...PROFILE, name: '__proto__', ca: 'pem', pins: ['00'] });
    new Profiles(file).put({ ...PROFILE, name: 'c' });
    const profiles = new Profiles(file);
    assert.deepEqual(
      profiles.all().map(({ name }) => name),
      ['lab', '__proto__', 'c'],
    );
    assert.deepEqual(profiles.find('__proto__'), { ...PROFILE, name: '__proto__', ca: 'pem', pins: ['00'] });
    assert.equal(profiles.remove('lab'), true);
    assert.equal(profiles.find('lab'), undefined);
    assert.deepEqual([modeOf(file), modeOf(directory)], [0o600, 0o700]);
    assert.deepEqual(readdirSync(directory), ['profiles.json']);
  });
});

for (const mode of [0o640, 0o604, 0o620]) {
  test(`a file of mode ${mode.toString(8)} is not believed, as others may have had the keys`, () => {
    inFolder((file) => {
      const profiles = new Profiles(file);
      profiles.put(PROFILE);
      chmodSync(file, mode);
      assert.throws(() => profiles.all(), says(/is open to others, and there are keys in it/));
      assert.throws(() => profiles.put(PROFILE), says(/is open to others/));
    });
  });
}

test('no keys are written where others may put another file in their place', () => {
  inFolder((file, directory) => {
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o777);
    assert.throws(() => new Profiles(file).put(PROFILE), says(/others may write in .*: `chmod 700` it/));
    assert.deepEqual(readdirSync(directory), []);
  });
});

const SPOILT: readonly (readonly [title: string, text: string, sentence: RegExp])[] = [
  ['that was cut short', '{"version":1,"prof', /is no JSON: take it away and log in again/],
  ['that is empty', '', /is no JSON/],
  ['of another shape', '{"version":1,"profiles":{}}', /is not as this rackboot writes it/],
  ['of another version', '{"version":2,"profiles":[]}', /is not as this rackboot writes it/],
];
for (const [title, text, sentence] of SPOILT) {
  test(`a file ${title} is told of, and is left as it is`, () => {
    inFolder((file, directory) => {
      mkdirSync(directory, { recursive: true });
      writeFileSync(file, text, { mode: 0o600 });
      assert.throws(() => new Profiles(file).put(PROFILE), says(sentence));
    });
  });
}

test('a directory in the place of the file is told of', () => {
  inFolder((file) => {
    mkdirSync(file, { recursive: true });
    chmodSync(file, 0o700);
    assert.throws(() => new Profiles(file).all(), says(/profiles\.json can't be read/));
  });
});
