import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { compilePlan } from '../../src/plan/compile-plan.ts';
import { formatFault } from '../../src/plan/fault.ts';
import { rackA1 } from './rack-a1.ts';

const SUBNET = 'subnets:\n  - { cidr: 192.168.127.0/24, interface: eth0, management: dhcp }\n';
const TLS = 'http: { tls: { certificate: /etc/rack.pem, key: /etc/rack.key } }\n';

function compile(text: string, keyPairFault?: (certificate: string, key: string) => string | undefined) {
  const surroundings = keyPairFault ? { ...rackA1, keyPairFault } : rackA1;
  const { plan, faults } = compilePlan(`${SUBNET}${text}`, 'f', surroundings);
  return { plan, faults: faults.map((fault) => `${fault.scope}: ${formatFault(fault)}`) };
}

describe('a pace', () => {
  for (const [text, pace] of [
    ['10MB/s', 10_000_000],
    ['500KB/s', 500_000],
    ['64KiB/s', 65_536],
    ['3MiB/s', 3 << 20],
    ['1GB/s', 1e9],
    ['10GB/s', 1e10],
  ] as const) {
    test(`of ${text} is ${pace} bytes a second`, () => {
      const { plan, faults } = compile(
        `http: { pace: ${text} }\nhosts: [{ name: a, mac: "52:54:00:00:00:01", pace: ${text} }]\n`,
      );
      assert.deepEqual(faults, []);
      assert.deepEqual([plan?.http.pace, plan?.hosts[0]?.pace], [pace, pace]);
    });
  }

  for (const text of ['10', '10MB', '10 MB/s', '10Mb/s', '1.5MB/s', '63KB/s', '11GB/s', '-1MB/s', '0MB/s', 'fast']) {
    test(`is not ${text}`, () => {
      const { plan, faults } = compile(`http: { pace: "${text}" }\n`);
      assert.equal(plan, undefined);
      assert.deepEqual(faults, [
        `plan: f:3:15: http.pace: expected bytes a second from 64KiB/s to 10GB/s, written like 500KB/s, 10MB/s or 64MiB/s, found "${text}"`,
      ]);
    });
  }

  test('of a host that has a fault takes only that host out of service', () => {
    const { plan } = compile('hosts: [{ name: a, mac: "52:54:00:00:00:01", pace: fast }]\n');
    assert.equal(plan?.hosts[0]?.boot, 'local');
    assert.equal(plan.hosts[0]?.pace, undefined);
  });
});

describe('HTTPS', () => {
  test('has a port of its own and both files', () => {
    const { plan, faults } = compile(TLS, () => undefined);
    assert.deepEqual(faults, []);
    assert.deepEqual(plan?.http, {
      port: 5248,
      tls: { port: 5250, certificate: '/etc/rack.pem', key: '/etc/rack.key' },
    });
    assert.deepEqual(compile('http: { port: 5250, tls: { certificate: /c, key: /k } }\n').faults, [
      'plan: f:3:21: http.tls.port: expected a port other than http.port, found 5250',
    ]);
  });

  test('with a pair that is no good stays in the plan, as the service may still have the pair before it', () => {
    const { plan, faults } = compile(TLS, (certificate, key) => `${key} is not the key of ${certificate}`);
    assert.equal(plan?.http.tls?.key, '/etc/rack.key');
    assert.deepEqual(faults, [
      'entry: f:3:14: http.tls: expected a certificate and its key, which this rack can read, found /etc/rack.key is not the key of /etc/rack.pem',
    ]);
  });

  test('does not take the port of the operator plane where both listen', () => {
    const { faults } = compile(`${TLS}admin: { listen: "0.0.0.0:5250" }\n`, () => undefined);
    assert.deepEqual(faults, [
      'plan: f:4:18: admin.listen: expected a port other than http.tls.port where both listen, found "0.0.0.0:5250"',
    ]);
  });
});
