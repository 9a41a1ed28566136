import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';

import { runCommand } from '../../src/lab/run-command.ts';
import { RackRig, reasonToSkip } from './rack-rig.ts';
import { SQUATTER, Squatter } from './squatter.ts';

const [KNOWN, STRANGER] = ['02:aa:00:00:00:00', '52:54:00:00:00:99'];

/** Records what passes the rack's interface until it is stopped; gives one line a packet. */
async function capture(rig: RackRig): Promise<() => Promise<string[]>> {
  const file = join(rig.directory, 'capture.pcap');
  const space = (await rig.onRack('ip', 'netns', 'identify')).stdout.trim();
  const dumping = ['tcpdump', '-i', 'rack0', '-U', '-Z', 'root', '-w', file, 'arp or udp port 67 or udp port 68'];
  const tcpdump = spawn('setpriv', ['--pdeathsig', 'KILL', 'ip', 'netns', 'exec', space, ...dumping], {
    stdio: 'ignore',
  });
  // Its file has a header as soon as it listens
  await rig.until('tcpdump to listen', async () => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0);
  const fields = ['_ws.col.Info', 'dhcp.hw.mac_addr', 'dhcp.ip.your'].flatMap((field) => ['-e', field]);
  const read = async (): Promise<string[]> => {
    const { stdout } = await runCommand(['tshark', '-r', file, '-T', 'fields', '-E', 'separator=|', ...fields]);
    return stdout.trim().split('\n');
  };
  return async () => {
    await rig.until('the last offer to be captured', async () =>
      (await read()).some((line) => isOffer(line, STRANGER)),
    );
    const exited = once(tcpdump, 'exit');
    tcpdump.kill('SIGTERM');
    await exited;
    return read();
  };
}

function isOffer(line: string, mac: string): boolean {
  return line.startsWith('DHCP Offer') && line.includes(mac);
}

test(
  'a client is not offered an address that another machine has, which is named, and who asks meanwhile is answered first',
  { skip: await reasonToSkip('tcpdump', 'tshark') },
  async () => {
    await using rig = await RackRig.create('conflict');
    await using _squatter = await Squatter.settle(rig, '192.168.127.101');
    await rig.start();
    const client = (file: string, ...words: string[]): ReturnType<RackRig['client']> =>
      rig.client(execPath, join(import.meta.dirname, file), ...words);
    const known = await client('dora-client.ts', '1');
    assert.match(known.stdout, /192\.168\.127\.100\n$/, known.output);

    const stop = await capture(rig);
    const asked = await client('discover-client.ts', STRANGER, KNOWN);
    assert.equal(asked.stdout, `${KNOWN} 192.168.127.100\n${STRANGER} 192.168.127.102\n`, asked.output);
    const lines = await stop();
    const place = (what: string, matches: (line: string) => boolean): number => {
      const found = lines.findIndex(matches);
      assert.ok(found >= 0, `${what} is not in:\n${lines.join('\n')}`);
      return found;
    };
    const steps = [
      place('the question of the stranger', (line) => line.startsWith('DHCP Discover') && line.includes(STRANGER)),
      place('the probe', (line) => line.startsWith('Who has 192.168.127.101? (ARP Probe)')),
      place('its answer', (line) => line.startsWith(`192.168.127.101 is at ${SQUATTER}`)),
      place('the next probe', (line) => line.startsWith('Who has 192.168.127.102? (ARP Probe)')),
      place('the offer to the stranger', (line) => isOffer(line, STRANGER)),
    ];
    assert.deepEqual(
      steps,
      steps.toSorted((a, b) => a - b),
      lines.join('\n'),
    );
    const other = place('the offer to the one known', (line) => isOffer(line, KNOWN));
    assert.ok(other > (steps[0] ?? 0) && other < (steps[4] ?? 0), lines.join('\n'));

    await rig.until('the event', async () => (await rig.events()).some(({ kind }) => kind === 'dhcp.conflict'));
    const conflicts = (await rig.events()).filter((event) => event.kind === 'dhcp.conflict');
    assert.deepEqual(
      conflicts.map(({ mac, address, holder }) => [mac, address, holder]),
      [[STRANGER, '192.168.127.101', SQUATTER]],
    );
    // The squatter himself is for the watch to name
    const { notices } = await rig.status();
    assert.ok(
      notices.every((line) => line.includes(`${SQUATTER} 192.168.127.101 uses an address of a range`)),
      notices.join('\n'),
    );
  },
);
