import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { RACK, RackRig, reasonToSkip } from './rack-rig.ts';

const MAC = '52:54:00:00:00:01';

/** Prints what udhcpc was given, one `name=value` a line. */
const UDHCPC_SCRIPT = `#!/bin/sh
[ "$1" = bound ] || exit 0
for name in ip mask router dns domain hostname lease serverid broadcast siaddr boot_file; do
  eval "echo $name=\\$$name"
done
`;

async function plugIn(rig: RackRig, mac: string): Promise<void> {
  await rig.client('ip', 'link', 'set', 'client0', 'down');
  await rig.client('ip', 'link', 'set', 'client0', 'address', mac);
  await rig.client('ip', 'address', 'flush', 'dev', 'client0');
  await rig.client('ip', 'link', 'set', 'client0', 'up');
}

test(
  'udhcpc gets a host its address, options and name, and keeps it',
  { skip: await reasonToSkip('udhcpc') },
  async () => {
    await using rig = await RackRig.create('udhcpc');
    const script = join(rig.directory, 'script');
    writeFileSync(script, UDHCPC_SCRIPT);
    chmodSync(script, 0o755);
    await rig.start();
    await plugIn(rig, MAC);
    const udhcpc = ['udhcpc', '-i', 'client0', '-n', '-q', '-f', '-s', script, '-O', 'hostname', '-O', 'lease'];
    for (let i = 0; i < 2; i++) {
      const { code, stdout, output } = await rig.client(...udhcpc);
      assert.equal(code, 0, output);
      const given = new Map(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split('=', 2) as [string, string]),
      );
      assert.equal(given.get('ip'), '192.168.127.221', output);
      assert.equal(given.get('mask'), '24');
      assert.equal(given.get('router'), '192.168.127.254');
      assert.equal(given.get('dns'), RACK);
      assert.equal(given.get('domain'), 'rack.test');
      assert.equal(given.get('hostname'), 'node1');
      assert.equal(given.get('lease'), '3600');
      assert.equal(given.get('serverid'), RACK);
    }
    const released = await rig.client(...udhcpc, '-R', '-r', '192.168.127.221');
    assert.equal(released.code, 0, released.output);
  },
);

test(
  'dhclient gets an address with its name, renews it at the server and gives it back',
  { skip: await reasonToSkip('isc-dhcp-client', 'bind9-dnsutils') },
  async () => {
    await using rig = await RackRig.create('dhclient');
    const [leases, pidFile, config] = ['leases', 'pid', 'dhclient.conf'].map((name) => join(rig.directory, name));
    assert.ok(leases && pidFile && config);
    writeFileSync(
      config,
      'send host-name "Blade 7";\nrequest subnet-mask, routers, domain-name-servers, domain-name, host-name;\n',
    );
    await rig.start();
    await plugIn(rig, '52:54:00:00:00:77');
    const dhclient = ['dhclient', '-4', '-cf', config, '-lf', leases, '-pf', pidFile, '-sf', '/bin/true'];
    const bound = await rig.client(...dhclient, '-1', '-v', 'client0');
    assert.equal(bound.code, 0, bound.output);
    assert.match(bound.output, /bound to 192\.168\.127\.100/);
    const named = (await rig.onRack('dig', '+short', `@${RACK}`, 'blade-7.rack.test')).stdout;
    assert.equal(named, '192.168.127.100\n');
    assert.equal((await rig.client(...dhclient, '-x')).code, 0);

    // A second start knows its lease: INIT-REBOOT, no DISCOVER
    const again = await rig.client(...dhclient, '-1', '-v', 'client0');
    assert.match(again.output, /DHCPREQUEST for 192\.168\.127\.100/, again.output);
    assert.match(again.output, /bound to 192\.168\.127\.100/);
    assert.doesNotMatch(again.output, /DHCPDISCOVER/);
    // The client unicasts its RELEASE, so it needs the address it was given
    await rig.client('ip', 'address', 'add', '192.168.127.100/24', 'dev', 'client0');
    const released = await rig.client(...dhclient, '-r', '-v', 'client0');
    assert.match(released.output, /DHCPRELEASE/);
    await rig.until(
      'the name to go with the lease',
      async () => (await rig.onRack('dig', '+short', `@${RACK}`, 'blade-7.rack.test')).stdout === '',
    );
    const kinds = (await rig.events()).filter(({ mac, source }) => mac === '52:54:00:00:00:77' && source === 'dhcp');
    // dhclient repeats a request that is not answered at once
    assert.match(
      kinds.map(({ kind }) => kind.slice('dhcp.'.length)).join(' '),
      /^(discover offer )+(request ack ){2,}release$/,
    );
  },
);

test('dig reads names both ways', { skip: await reasonToSkip('bind9-dnsutils') }, async () => {
  await using rig = await RackRig.create('dig');
  await rig.start();
  const dig = async (...question: string[]): Promise<string> =>
    (await rig.client('dig', '+time=2', '+tries=1', `@${RACK}`, ...question)).stdout;
  assert.equal(await dig('+short', 'node1.rack.test'), '192.168.127.221\n');
  assert.equal(await dig('+short', '-x', '192.168.127.221'), 'node1.rack.test.\n');
  assert.match(
    await dig('missing.rack.test'),
    /status: NXDOMAIN.*\n.*flags: qr aa rd; QUERY: 1, ANSWER: 0, AUTHORITY: 1/,
  );
  assert.match(
    await dig('AAAA', 'node1.rack.test'),
    /status: NOERROR.*\n.*flags: qr aa rd; QUERY: 1, ANSWER: 0, AUTHORITY: 1/,
  );
  assert.match(await dig('example.org'), /status: REFUSED/);
});

test(
  'curl fetches whole files and parts by HTTP, and the same files by TFTP',
  { skip: await reasonToSkip('curl', 'atftp') },
  async () => {
    await using rig = await RackRig.create('curl');
    const text = Array.from({ length: 40_000 }, (_, i) => `line ${i}\n`).join('');
    writeFileSync(join(rig.files, 'image'), text);
    await rig.start();
    assert.equal((await rig.client('curl', '-sS', `http://${RACK}:5248/image`)).stdout, text);
    assert.equal(
      (await rig.client('curl', '-sS', '-r', '100-199', `http://${RACK}:5248/image`)).stdout,
      text.slice(100, 200),
    );
    assert.match(
      (await rig.client('curl', '-sS', '-I', `http://${RACK}:5248/image`)).stdout,
      new RegExp(`content-length: ${text.length}`, 'i'),
    );
    assert.equal(
      (
        await rig.client(
          'curl',
          '-s',
          '-o',
          '/dev/null',
          '-w',
          '%{http_code}',
          '--path-as-is',
          `http://${RACK}:5248/../rackboot.yaml`,
        )
      ).stdout,
      '403',
    );
    for (const blksize of ['8', '512', '1428', '8192']) {
      assert.equal(
        (await rig.client('curl', '-sS', '--tftp-blksize', blksize, `tftp://${RACK}/image`)).stdout,
        text,
        `blksize ${blksize}`,
      );
    }
    const fetched = join(rig.directory, 'fetched');
    const atftp = await rig.client(
      'atftp',
      '--option',
      'windowsize 8',
      '--option',
      'blksize 1428',
      '-g',
      '-r',
      'image',
      '-l',
      fetched,
      RACK,
    );
    assert.equal(atftp.code, 0, atftp.output);
    assert.equal((await rig.client('cat', fetched)).stdout, text);
    const missing = await rig.client('curl', '-sS', `tftp://${RACK}/nothing`);
    assert.equal(missing.code, 68, missing.output);
  },
);
