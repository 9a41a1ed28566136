import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';

const CONFIG = `${SIMPLE}
options:
  ntp-servers: [192.0.2.1, 192.0.2.2]
  domain-search: [a.example, b.a.example]
  classless-routes: { 10.0.0.0/8: 192.168.127.9 }
  150: 192.168.127.1
classes:
  - name: blades
    match: { vendor-class: blade, mac-prefix: "52:54:00" }
    options: { root-path: /srv/blade, 224: { hex: 0a1b } }
    always: [224]
`;

/** Prints every variable that udhcpc sets, one `name=value` a line. */
const UDHCPC_SCRIPT = '#!/bin/sh\n[ "$1" = bound ] && env\nexit 0\n';

test('udhcpc is given the options it asks for, and no others', { skip: await reasonToSkip('udhcpc') }, async () => {
  await using rig = await RackRig.create('opt-udhcpc', CONFIG);
  const script = join(rig.directory, 'script');
  writeFileSync(script, UDHCPC_SCRIPT);
  chmodSync(script, 0o755);
  await rig.start();
  await rig.client('ip', 'link', 'set', 'client0', 'address', '52:54:00:00:00:51');
  const udhcpc = async (...argv: readonly string[]): Promise<ReadonlyMap<string, string>> => {
    const fixed = ['udhcpc', '-i', 'client0', '-n', '-q', '-f', '-o', '-s', script];
    const { code, stdout, output } = await rig.client(...fixed, ...argv);
    assert.equal(code, 0, output);
    return new Map(stdout.split('\n').map((line) => line.split('=', 2) as [string, string]));
  };

  const wishes = ['ntpsrv', 'search', 'staticroutes', '150', 'rootpath'].flatMap((wish) => ['-O', wish]);
  const asked = await udhcpc('-V', 'blade-7', ...wishes);
  assert.equal(asked.get('ntpsrv'), '192.0.2.1 192.0.2.2');
  assert.equal(asked.get('search'), 'a.example b.a.example');
  assert.equal(asked.get('staticroutes'), '10.0.0.0/8 192.168.127.9 0.0.0.0/0 192.168.127.254');
  assert.equal(asked.get('opt150') ?? asked.get('tftp_server_address'), 'c0a87f01');
  assert.equal(asked.get('rootpath'), '/srv/blade');
  assert.equal(asked.get('opt224'), '0a1b');

  const [quiet, stranger] = [await udhcpc('-V', 'blade-7', '-O', 'router'), await udhcpc('-O', 'rootpath')];
  assert.equal(quiet.get('router'), '192.168.127.254');
  for (const name of ['ntpsrv', 'search', 'staticroutes', 'opt150', 'rootpath']) assert.equal(quiet.has(name), false);
  assert.equal(quiet.get('opt224'), '0a1b');
  assert.deepEqual([stranger.has('rootpath'), stranger.has('opt224')], [false, false]);
});

test('dhclient reads the options it asks for', { skip: await reasonToSkip('isc-dhcp-client') }, async () => {
  await using rig = await RackRig.create('opt-dhclient', CONFIG);
  await rig.start();
  await rig.client('ip', 'link', 'set', 'client0', 'address', '52:54:00:00:00:52');
  const lease = async (name: string, wishes: string): Promise<string> => {
    const [config, leases, pidFile] = ['conf', 'leases', 'pid'].map((kind) => join(rig.directory, `${name}.${kind}`));
    assert.ok(config && leases && pidFile);
    const known =
      'option classless code 121 = array of unsigned integer 8;\noption tftp code 150 = array of ip-address;\n';
    writeFileSync(config, `${known}request ${wishes};\n`);
    const files = ['-cf', config, '-lf', leases, '-pf', pidFile, '-sf', '/bin/true'];
    const bound = await rig.client('dhclient', '-4', ...files, '-1', '-v', 'client0');
    assert.equal(bound.code, 0, bound.output);
    await rig.client('dhclient', '-4', ...files, '-x');
    return readFileSync(leases, 'utf8');
  };

  const asked = await lease('asks', 'subnet-mask, ntp-servers, domain-search, classless, tftp');
  assert.match(asked, /option ntp-servers 192\.0\.2\.1,192\.0\.2\.2;/);
  assert.match(asked, /option domain-search "a\.example\.?", "b\.a\.example\.?";/);
  assert.match(asked, /option classless 8,10,192,168,127,9,0,192,168,127,254;/);
  assert.match(asked, /option tftp 192\.168\.127\.1;/);
  assert.doesNotMatch(asked, /root-path|routers/);

  const quiet = await lease('quiet', 'subnet-mask, routers');
  assert.match(quiet, /option routers 192\.168\.127\.254;/);
  assert.doesNotMatch(quiet, /ntp-servers|domain-search|classless|tftp/);
});
