import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';

import type { Account } from '../../src/dhcp/account.ts';
import { RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';

/** Broadcasts the packet it is given as hex, and prints the reply, which is broadcast too; nothing after a second. */
const SPEAK = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (reply) => { console.log(reply.toString('hex')); process.exit(); });
  socket.bind(68, () => {
    socket.setBroadcast(true);
    socket.send(Buffer.from(process.argv[1], 'hex'), 67, '255.255.255.255');
  });
  setTimeout(() => process.exit(), 1000);
`;

/** Strangers ask for an address: which of the free ones they are given otherwise goes by what the daemon has in mind. */
const MACHINES: readonly (readonly string[])[] = [
  ['--mac', '52:54:00:00:00:01'],
  ['--mac', '52:54:00:00:00:01', '--arch', '7'],
  ['--mac', '52:54:00:00:00:02', '--arch', '0', '--name', 'web', '--requested', '192.168.127.110'],
  ['--mac', '52:54:00:00:00:02', '--ipxe', 'full', '--client-id', 'ff:00:01', '--requested', '192.168.127.110'],
  ['--mac', '52:54:00:00:00:03', '--circuit-id', 'port-7', '--requested', '192.168.127.60'],
  ['--mac', '52:54:00:00:00:04', '--circuit-id', 'port-8', '--requested', '192.168.127.111'],
  [
    '--mac',
    '52:54:00:00:00:05',
    '--ask',
    '1,3,6,12,15,51,119',
    '--user-class',
    'voice',
    '--requested',
    '192.168.127.112',
  ],
  ['--mac', '52:54:00:00:00:01', '--message', 'request', '--requested', '192.168.127.221'],
  ['--mac', '52:54:00:00:00:06', '--message', 'request', '--requested', '10.1.1.1'],
  ['--mac', '52:54:00:00:00:06', '--message', 'request', '--requested', '192.168.127.150'],
  ['--mac', '52:54:00:00:00:01', '--message', 'bootp'],
];

const CONFIG = `${SIMPLE.replace('    router:', '    pools: [{ range: 192.168.127.60-192.168.127.61, class: row-7 }]\n    router:')}
classes: [{ name: row-7, match: { circuit-id: port-7 }, options: { domain-search: [a.b] } }]
`;

function picture(state: string): string[] {
  const names = readdirSync(state).filter((name) => name.startsWith('leases.db'));
  return names.map((name) => {
    const file = join(state, name);
    return `${name} ${statSync(file).mtimeMs} ${createHash('sha256').update(readFileSync(file)).digest('hex')}`;
  });
}

test('what is explained is what the daemon then answers, byte by byte', { skip: await reasonToSkip() }, async () => {
  await using rig = await RackRig.create('explain', CONFIG);
  await rig.start();
  for (const words of MACHINES) {
    const before = picture(join(rig.directory, 'state'));
    const explained = await rig.rackboot('explain', '--json', '--broadcast', ...words);
    assert.deepEqual(picture(join(rig.directory, 'state')), before);
    const account = JSON.parse(explained.stdout) as Account & { readonly packet: string };
    assert.equal(explained.code, account.gets ? 0 : 1, explained.output);
    const { stdout } = await rig.client(execPath, '-e', SPEAK, account.packet);
    assert.equal(stdout.trim(), account.reply?.bytes ?? '', `${words.join(' ')}: ${account.answer}`);
  }
});
