import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { geteuid, pid } from 'node:process';
import { describe, it } from 'node:test';
import { createLabNetwork, labName, sweepStaleNetworks } from '../../src/lab/network.ts';
import { missingPackages } from '../../src/lab/debian-packages.ts';
import { runCommand } from '../../src/lab/run-command.ts';

async function reasonToSkip(): Promise<string | false> {
  if (geteuid?.() !== 0) return 'network namespaces and taps need root';
  const missing = await missingPackages([{ package: 'iproute2', provides: ['ip'] }]);
  return missing.length > 0 ? 'iproute2 is not installed' : false;
}

async function namespaces(): Promise<string[]> {
  const { stdout } = await runCommand(['ip', 'netns', 'list']);
  return stdout.split('\n').map((line) => line.split(' ')[0] ?? '');
}

describe('createLabNetwork', { skip: await reasonToSkip() }, () => {
  const settings = { address: '192.168.127.1/24', taps: 2 };

  it('makes a network that is seen from inside only', async () => {
    const before = readFileSync('/proc/net/dev', 'utf8').split('\n').length;
    const network = await createLabNetwork({ ...settings, name: labName(pid, 'inside') });
    try {
      const { stdout } = await network.run(['ip', '-brief', 'address']);
      assert.match(stdout, /^lo .*127\.0\.0\.1/m);
      assert.match(stdout, /^rack0 .*192\.168\.127\.1\/24/m);
      assert.deepEqual(network.taps, ['tap0', 'tap1']);
      for (const tap of network.taps) assert.match(stdout, new RegExp(`^${tap} `, 'm'));
      assert.equal(readFileSync('/proc/net/dev', 'utf8').split('\n').length, before);
    } finally {
      await network.close();
    }
  });

  it('ends what still runs inside when it is closed, and leaves nothing', async () => {
    const network = await createLabNetwork({ ...settings, name: labName(pid, 'closing') });
    const child = network.exec(['sleep', '1000']);
    await once(child, 'spawn');
    while ((await network.run(['pidof', 'sleep'])).code !== 0);
    const ended = once(child, 'exit');
    await network.close();
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    assert.ok(!(await namespaces()).includes(network.name));
    await network.close();
  });

  it('sweeps away the network of a process that is gone, and leaves that of a living one', async () => {
    const gone = await runCommand(['sh', '-c', 'echo $$']);
    const stale = await createLabNetwork({ ...settings, name: labName(Number(gone.stdout), 'stale') });
    const alive = await createLabNetwork({ ...settings, name: labName(pid, 'alive') });
    try {
      await sweepStaleNetworks();
      const left = await namespaces();
      assert.ok(!left.includes(stale.name));
      assert.ok(left.includes(alive.name));
    } finally {
      await alive.close();
    }
  });

  it('says what ip said when it can not be made, and leaves no half of it', async () => {
    const name = labName(pid, 'half');
    await assert.rejects(createLabNetwork({ ...settings, address: 'nonsense', name }), /ip .*address add nonsense/);
    assert.ok(!(await namespaces()).includes(name));
  });
});
