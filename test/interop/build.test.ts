import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { runCommand } from '../../src/lab/run-command.ts';
import { RACK, RackRig, reasonToSkip } from './rack-rig.ts';

const ROOT = join(import.meta.dirname, '..', '..');

test('the build serves as the sources do', { skip: await reasonToSkip('curl', 'bind9-dnsutils') }, async () => {
  const built = await runCommand(['npm', 'run', 'build'], { cwd: ROOT });
  assert.equal(built.code, 0, built.output);
  await using rig = await RackRig.create('build');
  await rig.start([], join(ROOT, 'dist', 'main.js'));
  const states = Object.values((await rig.status()).services).map(({ state }) => state);
  assert.deepEqual(states, ['serving', 'serving', 'serving', 'serving', 'serving']);
  const loader = await rig.client('curl', '-s', `http://${RACK}:5248/snponly.efi`);
  assert.match(loader.stdout, /not really a loader either\n$/);
  assert.equal((await rig.client('dig', '+short', `@${RACK}`, 'node1.rack.test')).stdout, '192.168.127.221\n');
  await rig.end('SIGTERM');
  assert.equal(rig.daemon.exitCode, 0);
});
