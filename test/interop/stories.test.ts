import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';

import { askDaemon, RefusedError } from '../../src/cli/control-client.ts';
import type { MachineStory } from '../../src/rack/machine-desk.ts';
import type { Trouble } from '../../src/story/trouble.ts';
import { efiProgram } from '../fixtures/programs.ts';
import { RACK, RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';

const CLIENT = join(import.meta.dirname, 'broken-client.ts');
const DORA = join(import.meta.dirname, 'dora-client.ts');

/** One address in the range, and a machine for each boot that goes wrong. */
const CONFIG = `${SIMPLE.replace('192.168.127.100-192.168.127.199', '192.168.127.100-192.168.127.100').replace(
  /^hosts:\n.*$/m,
  'hosts:',
)}
`;
const FIRST_HOST = 221;

interface Broken {
  readonly title: string;
  readonly steps: readonly string[];
  /** Seconds that pass until it is told. */
  readonly later?: number;
  readonly kind: Trouble['kind'];
  readonly what: RegExp;
}

const LOADED = ['pxe', 'take', 'tftp=snponly.efi'];
const SCRIPTED = [...LOADED, 'ipxe', 'take', 'http=/boot.ipxe', 'http=/ipxe/$MAC'];

/** Eight boots that go wrong, in this order; what a machine of the file is called, its steps, and what an operator is told. */
const BROKEN: readonly Broken[] = [
  {
    title: 'the kernel is not there',
    steps: [...SCRIPTED, 'http=/gone/vmlinuz'],
    kind: 'file-missing',
    what: /^got the loader snponly\.efi, got its script, kernel missing: gone\/vmlinuz$/,
  },
  {
    title: 'large packets are lost on the way',
    steps: ['pxe', 'take', 'size=big.efi', 'lost=big.efi'],
    kind: 'packets-lost',
    what: /^fetched the size of big\.efi, never the file: blksize 1468 may not pass$/,
  },
  {
    title: 'another DHCP server wins',
    steps: ['pxe', 'take-of=192.168.127.66'],
    kind: 'other-server',
    what: /^was offered 192\.168\.127\.\d+ and took an address of the DHCP server 192\.168\.127\.66 instead$/,
  },
  {
    title: 'the address is in use',
    steps: ['pxe', 'take', 'decline'],
    kind: 'declined',
    what: /^declined 192\.168\.127\.\d+: somebody else uses it$/,
  },
  {
    title: 'firmware ignores the offer',
    steps: ['pxe', 'pxe'],
    later: 61,
    kind: 'offer-not-taken',
    what: /^was offered 192\.168\.127\.\d+ twice, last at \d\d:\d\d:\d\d, and never asked for it; another DHCP server \(192\.168\.127\.66\) answers here too$/,
  },
  {
    title: 'it boots again and again',
    steps: [1, 2, 3, 4].flatMap(() => [...SCRIPTED, 'http=/here/vmlinuz']),
    kind: 'boots-again',
    what: /^boots again and again: 4 in 1 min, the last thing it fetched is here\/vmlinuz$/,
  },
  {
    title: 'the loader is not there',
    steps: ['pxe', 'take', 'tftp=snponly.efi'],
    kind: 'file-missing',
    what: /^loader missing: snponly\.efi$/,
  },
];

function macOf(index: number): string {
  return `52:54:00:00:01:0${index}`;
}

async function storyOf(rig: RackRig, of: string, later = 0): Promise<MachineStory | undefined> {
  try {
    const [story] = await askDaemon<MachineStory[]>(rig.control, `/machines?of=${of}&later=${later}`);
    return story;
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

test(
  'eight boots that go wrong each end in the sentence that an operator needs',
  { skip: await reasonToSkip() },
  async (t) => {
    const hosts = BROKEN.map(({ title }, index) => {
      const boot = /again/.test(title) ? 'here' : 'gone';
      return `  - { name: node${index}, mac: "${macOf(index)}", address: 192.168.127.${FIRST_HOST + index}, boot: ${boot} }`;
    });
    const entries = 'entries: { gone: { kernel: gone/vmlinuz }, here: { kernel: here/vmlinuz } }';
    const config = CONFIG.replace(/^hosts:$/m, `hosts:\n${hosts.join('\n')}`).replace(
      'boot: { files: $DIR/files }',
      `boot: { files: $DIR/files, ${entries} }`,
    );
    await using rig = await RackRig.create('stories', config);
    for (const kernel of ['gone/vmlinuz', 'here/vmlinuz']) rig.addPath(kernel, efiProgram());
    rig.addPath('big.efi', new Uint8Array(10_000));
    await rig.start();
    rmSync(join(rig.files, 'gone/vmlinuz'));

    for (const [index, { title, steps, later, kind, what }] of BROKEN.entries()) {
      await t.test(title, async () => {
        const mac = macOf(index);
        if (title === 'the loader is not there') rmSync(join(rig.files, 'snponly.efi'));
        const played = steps.map((step) => step.replace('$MAC', mac));
        const { code, output } = await rig.client(execPath, CLIENT, RACK, mac, ...played);
        assert.equal(code, 0, output);
        let story: MachineStory | undefined;
        await rig.until('the sentence', async () => {
          story = await storyOf(rig, `node${index}`, later);
          // The last of its files may be told a moment after it has gone
          return story?.troubles.some((trouble) => trouble.kind === kind && what.test(trouble.what)) === true;
        });
        assert.equal(story?.troubles[0]?.kind, kind, JSON.stringify(story?.troubles));
      });
    }

    await t.test('who has the address that is in use is told by MAC once it is seen on the wire', async () => {
      const address = `192.168.127.${FIRST_HOST + 3}`;
      const card = /link\/ether ([\da-f:]{17})/.exec((await rig.client('ip', 'link', 'show', 'client0')).output)?.[1];
      // The clients' end of the wire has all their addresses; that nobody listens there is what the rack has to find it for
      const say = `const s = require('node:dgram').createSocket('udp4'); s.bind(0, '${address}', () => s.send('x', 9, '${RACK}', () => s.close()))`;
      assert.equal((await rig.client(execPath, '-e', say)).code, 0);
      await rig.until('the sentence', async () => {
        const what = (await storyOf(rig, 'node3'))?.troubles[0]?.what;
        return what?.startsWith(`declined ${address}: ${card}`) === true;
      });
    });

    await t.test('the range is full', async () => {
      assert.equal((await rig.client(execPath, DORA, '1')).code, 0);
      const mac = '52:54:00:00:01:ff';
      for (let n = 0; n < 2; n++) await rig.client(execPath, CLIENT, RACK, mac, 'pxe', 'silent');
      await rig.until('the sentence', async () => (await storyOf(rig, mac))?.troubles[0]?.kind === 'range-full');
      const [trouble] = (await storyOf(rig, mac))?.troubles ?? [];
      assert.equal(trouble?.what, 'asks for an address, and none is free in 192.168.127.0/24');
    });

    await t.test('all of them are in the list, counted in the status, and told after a restart too', async () => {
      const troubles = async (): Promise<string> => (await rig.rackboot('machines', '--trouble')).stdout;
      const before = (await troubles()).split('\n').filter((line) => line !== '');
      // The one that ignores its offer has a minute to take it
      assert.equal(before.length, BROKEN.length);
      assert.match((await rig.rackboot('status')).stdout, new RegExp(`^${BROKEN.length} machines in trouble \\(`, 'm'));
      const story = await rig.rackboot('machines', 'node0');
      assert.equal(story.code, 1);
      assert.match(
        story.stdout,
        /^TROUBLE file-missing: it got the loader .*\n {2}probably: .*\n {2}next: put gone\/vmlinuz under/m,
      );
      // The file is whole again, what happened did happen
      for (const path of ['gone/vmlinuz', 'snponly.efi']) rig.addPath(path, efiProgram());
      await rig.end('SIGTERM');
      await rig.start();
      await rig.until('what was before', async () => (await troubles()).split('\n').length > BROKEN.length);
    });
  },
);
