import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { test } from 'node:test';

import { RACK, RackRig, reasonToSkip, SIMPLE } from './rack-rig.ts';

const MAC = '52:54:00:00:00:01';
const ADDRESS = '192.168.127.221';

/** The client's namespace has mounts of its own: what a client keeps in these places is gone with it. */
function inPlaces(places: readonly string[], command: string): string[] {
  const mounts = places.map((place) => `mkdir -p ${place} && mount -t tmpfs none ${place}`);
  return ['sh', '-c', [...mounts, command].join(' && ')];
}

async function plugIn(rig: RackRig, mac: string): Promise<void> {
  for (const words of [
    'link set client0 down',
    `link set client0 address ${mac}`,
    'address flush dev client0',
    'link set client0 up',
  ]) {
    const { code, output } = await rig.client('ip', ...words.split(' '));
    assert.equal(code, 0, output);
  }
}

async function addressOf(rig: RackRig, device: string): Promise<string> {
  return (await rig.client('ip', '-4', '-br', 'address', 'show', 'dev', device)).stdout;
}

test(
  'dhcpcd is given address, name and options, by DISCOVER and by its memory',
  { skip: await reasonToSkip('dhcpcd-base') },
  async () => {
    await using rig = await RackRig.create('dhcpcd');
    const [script, config] = [join(rig.directory, 'script'), join(rig.directory, 'dhcpcd.conf')];
    writeFileSync(
      script,
      '#!/bin/sh\n[ -n "$new_ip_address" ] && echo "$reason $new_ip_address $new_routers $new_domain_name $new_host_name" >> "$0.log"\nexit 0\n',
    );
    chmodSync(script, 0o755);
    writeFileSync(config, 'duid\nnoipv6\nnodev\nnoarp\noption routers, domain_name, host_name, domain_name_servers\n');
    await rig.start();
    await plugIn(rig, MAC);
    const once = `dhcpcd -4 -1 -f ${config} -c ${script} client0`;
    const twice = `${once} && ip address flush dev client0 && ${once} && cat ${script}.log`;
    const { code, stdout, output } = await rig.client(...inPlaces(['/var/lib/dhcpcd', '/run/dhcpcd'], twice));
    assert.equal(code, 0, output);
    const given = `${ADDRESS} 192.168.127.254 rack.test node1`;
    assert.match(stdout, new RegExp(`^BOUND ${given}$`, 'm'), output);
    assert.match(stdout, new RegExp(`^REBOOT ${given}$`, 'm'), output);
  },
);

test('systemd-networkd’s client configures its interface', { skip: await reasonToSkip('systemd') }, async () => {
  await using rig = await RackRig.create('networkd');
  const network = join(rig.directory, 'net.network');
  writeFileSync(network, '[Match]\nName=client0\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n');
  chmodSync(rig.directory, 0o755);
  await rig.start();
  await plugIn(rig, MAC);
  // Where /sys can't be written it does without udev, as in a container
  const start = `mkdir -p /run/systemd/network && cp ${network} /run/systemd/network/ && mount -o remount,ro /sys && exec /lib/systemd/systemd-networkd 2> ${network}.log`;
  const networkd = rig.startClient(...inPlaces(['/run'], start));
  await rig.until('networkd to set the address', async () =>
    (await addressOf(rig, 'client0')).includes(`${ADDRESS}/24`),
  );
  const routes = (await rig.client('ip', 'route')).stdout;
  assert.match(routes, /^default via 192\.168\.127\.254 dev client0 proto dhcp/m);
  networkd.kill('SIGTERM');
  await rig.until('its RELEASE', async () => (await rig.events()).some(({ kind }) => kind === 'dhcp.release'));
});

test('the dhcp package’s client is bound', { skip: await reasonToSkip() }, async () => {
  await using rig = await RackRig.create('npm');
  await rig.start();
  await plugIn(rig, MAC);
  // It reads no raw packets and does not ask for broadcasts, so its interface needs the address before
  await rig.client('ip', 'address', 'add', `${ADDRESS}/24`, 'dev', 'client0');
  await rig.client('ip', 'route', 'add', 'default', 'dev', 'client0');
  const { code, stdout, output } = await rig.client(execPath, join(import.meta.dirname, 'npm-client.ts'), MAC);
  assert.equal(code, 0, output);
  const { address, server, options } = JSON.parse(stdout) as {
    address: string;
    server: string;
    options: Record<string, unknown>;
  };
  assert.deepEqual([address, server], [ADDRESS, RACK]);
  assert.equal(options['netmask'], '255.255.255.0');
  assert.deepEqual(options, {
    server: RACK,
    clientId: MAC,
    netmask: '255.255.255.0',
    router: ['192.168.127.254'],
    dns: [RACK],
    domainName: 'rack.test',
    hostname: 'node1',
    broadcast: '192.168.127.255',
  });
});

const VLAN = SIMPLE.replace('interface: rack0', 'interface: rack0.7');

test('a client on a VLAN is served on the rack’s VLAN interface', { skip: await reasonToSkip('udhcpc') }, async (t) => {
  await using rig = await RackRig.create('vlan', VLAN);
  const onBoth = async (...words: readonly string[]): Promise<void> => {
    for (const argv of words) {
      const [end, ...rest] = argv.split(' ');
      const { code, output } = await (end === 'rack' ? rig.onRack('ip', ...rest) : rig.client('ip', ...rest));
      assert.equal(code, 0, output);
    }
  };
  const vlan = ['type', 'vlan', 'id', '7'];
  const { output: refusal } = await rig.onRack('ip', 'link', 'add', 'link', 'rack0', 'name', 'rack0.7', ...vlan);
  if (refusal.includes('Unknown device type')) return t.skip('this kernel has no VLAN interfaces (8021q)');
  await onBoth(
    'rack address flush dev rack0',
    `rack address add ${RACK}/24 brd + dev rack0.7`,
    'rack link set rack0.7 up',
    'client address flush dev client0',
    `client link add link client0 name client0.7 ${vlan.join(' ')}`,
    'client link set client0.7 up',
  );
  const script = join(rig.directory, 'script');
  writeFileSync(script, '#!/bin/sh\n[ "$1" = bound ] && echo "$ip $router $serverid"\nexit 0\n');
  chmodSync(script, 0o755);
  await rig.start();
  const udhcpc = ['udhcpc', '-n', '-q', '-f', '-t', '3', '-T', '1', '-s', script, '-i'];
  const tagged = await rig.client(...udhcpc, 'client0.7');
  assert.match(tagged.stdout, /^192\.168\.127\.100 192\.168\.127\.254 192\.168\.127\.1$/m, tagged.output);
  const untagged = await rig.client(...udhcpc, 'client0');
  assert.equal(untagged.code, 1, untagged.output);
});
