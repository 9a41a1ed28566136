import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fillDirectory, openApt } from '../../src/lab/unpack-packages.ts';

const PLACE = mkdtempSync(join(tmpdir(), 'rackboot-unpack-'));
after(() => rmSync(PLACE, { recursive: true }));

describe('openApt', () => {
  it("asks this computer's own apt for packages of its own architecture", async () => {
    assert.deepEqual((await openApt('amd64', join(PLACE, 'own'), undefined)).options, []);
    assert.ok(!existsSync(join(PLACE, 'own')));
  });

  it('gives apt for another architecture a status file, lists and a cache away from those of this computer', async () => {
    const directory = join(PLACE, 'other');
    const { options } = await openApt('arm64', directory, undefined);
    const settings = new Map(
      options.filter((word) => word !== '-o').map((word) => word.split('=') as [string, string]),
    );
    assert.equal(settings.get('APT::Architecture'), 'arm64');
    for (const name of ['Dir::State', 'Dir::Cache']) {
      assert.ok(settings.get(name)?.startsWith(directory), name);
      assert.ok(statSync(settings.get(name) ?? '').isDirectory());
    }
    assert.equal(readFileSync(settings.get('Dir::State::status') ?? '', 'utf8'), '');
  });
});

describe('fillDirectory', () => {
  it('gives a directory its name when it is full, for all to read', async () => {
    const directory = join(PLACE, 'lab/guest');
    await fillDirectory(directory, async (work) => {
      assert.ok(!existsSync(directory));
      writeFileSync(join(work, 'kernel'), 'a kernel');
    });
    assert.equal(readFileSync(join(directory, 'kernel'), 'utf8'), 'a kernel');
    assert.equal(statSync(directory).mode & 0o777, 0o755);
  });

  it('leaves nothing when it can not be filled', async () => {
    const filled = fillDirectory(join(PLACE, 'failed/guest'), async () => {
      throw new Error('no mirror');
    });
    await assert.rejects(filled, /no mirror/);
    assert.deepEqual(readdirSync(join(PLACE, 'failed')), []);
  });

  it('keeps the copy of another lab that was quicker', async () => {
    const directory = join(PLACE, 'raced/guest');
    await fillDirectory(directory, async (work) => {
      writeFileSync(join(work, 'kernel'), 'mine');
      mkdirSync(directory);
      writeFileSync(join(directory, 'kernel'), 'of another');
    });
    assert.equal(readFileSync(join(directory, 'kernel'), 'utf8'), 'of another');
    assert.deepEqual(readdirSync(join(PLACE, 'raced')), ['guest']);
  });
});
