import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatMac } from '../../src/addr/mac.ts';
import { faultLines, ip, planOf, SUBNET } from './rack-a1.ts';

test('what is looked for on the wires is as the file says', () => {
  const watch = 'watch: { scan: 1h, used-addresses: offer, dhcp-servers: [10.9.0.5], dhcp-probe: off }\n';
  assert.deepEqual(planOf(SUBNET + watch).watch, {
    scanSeconds: 3600,
    avoidsUsed: false,
    dhcpServers: [ip('10.9.0.5')],
  });
});

test('off: nobody looks', () => {
  assert.equal('watch' in planOf(`${SUBNET}watch: off\n`), false);
});

test('the MAC that other DHCP servers are asked by is locally administered, and this rack’s own', () => {
  const macs = ['rack-a1', 'rack-a2'].map((name) => planOf(`rack: { name: ${name} }\n${SUBNET}`).watch?.dhcpProbe?.mac);
  assert.ok(macs.every((mac) => mac !== undefined && formatMac(mac).startsWith('02:72:62:')));
  assert.notEqual(macs[0], macs[1]);
});

const FAULTS: readonly (readonly [string, string])[] = [
  [
    'watch: on\n',
    '5:8: watch: expected off, or a mapping with scan, used-addresses, dhcp-servers, dhcp-probe, found on',
  ],
  ['watch: { scan: 10s }\n', '5:16: watch.scan: expected'],
  ['watch: { dhcp-probe: 1s }\n', '5:22: watch.dhcp-probe: expected'],
  ['watch: { dhcp-servers: 10.0.0.1 }\n', '5:24: watch.dhcp-servers: expected a list of IPv4 addresses'],
  ['watch: { used-addresses: maybe }\n', '5:26: watch.used-addresses: expected one of avoid, offer'],
];

for (const [text, expected] of FAULTS) {
  test(`${text.trim()} is a fault`, () => {
    const [line = '', ...more] = faultLines(SUBNET + text);
    assert.deepEqual([line.startsWith(expected), more], [true, []], line);
  });
}
