import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Mac } from '../../src/addr/mac.ts';
import { compile, faultLines, ip, planOf, SUBNET } from './rack-a1.ts';
import { NO_DNS } from './no-dns.ts';

test('a file with nothing but a subnet gives a Plan of safe defaults', () => {
  const { subnets, ...rest } = planOf(SUBNET);
  assert.equal(subnets.length, 1);
  assert.deepEqual(rest, {
    rack: { name: 'rack-a1', state: '/var/lib/rackboot', control: '/run/rackboot/control.sock' },
    hosts: [],
    boot: {
      files: '/var/lib/rackboot/files',
      default: 'local',
      entries: [],
      loop: { boots: 8, withinSeconds: 7200, quietSeconds: 86_400 },
      loaders: {
        bios: { path: 'undionly.kpxe', file: '/usr/lib/ipxe/undionly.kpxe' },
        uefi: { path: 'snponly.efi', file: '/usr/lib/ipxe/snponly.efi' },
      },
    },
    images: { shelf: '/var/lib/rackboot/images/sha256', sources: [], intervalSeconds: 3600, parallel: 4 },
    http: { port: 5248 },
    tftp: { blockSize: 1468, window: 64, transfers: 4000, perClient: 1000, singlePort: false },
    dns: NO_DNS,
    admin: { address: ip('127.0.0.1'), port: 5249 },
    log: { level: 'info' },
    timeline: { ageSeconds: 30 * 86_400, bytes: 64 * 2 ** 20 },
    // 02:72:62 and what the rack's name comes to
    watch: { avoidsUsed: true, dhcpServers: [], dhcpProbe: { seconds: 600, mac: 0x0272621637ef as Mac } },
  });
});

test('what is written comes before the defaults', () => {
  const plan = planOf(
    `rack: { name: A1, state: /srv/rack/, control: /tmp/c }\n${SUBNET}http: { port: 80 }\nadmin: { listen: "0.0.0.0:81" }\nlog: { level: debug }\n`,
  );
  assert.deepEqual(plan.rack, { name: 'a1', state: '/srv/rack', control: '/tmp/c' });
  assert.deepEqual([plan.http.port, plan.admin, plan.log.level], [80, { address: ip('0.0.0.0'), port: 81 }, 'debug']);
});

test('a Plan is frozen to the bottom', () => {
  const plan = planOf(
    `${SUBNET}    dynamic: 192.168.127.10-192.168.127.20\nhosts:\n  - { name: a, mac: 52:54:00:00:00:01 }\n`,
  );
  const thawed: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    if (!Object.isFrozen(value)) thawed.push(path);
    for (const [key, part] of Object.entries(value)) visit(part, `${path}.${key}`);
  };
  visit(plan, 'plan');
  assert.deepEqual(thawed, []);
  assert.deepEqual(structuredClone(plan), plan);
});

test('five different faults are all told at once, in file order', () => {
  const text = `rack:
  nmae: rack-a1
subnets:
  - cidr: 192.168.127.0/24
    interface: eth0
    management: dhcp+dns
    router: 10.0.0.1
    lease: 12
hosts:
  - { name: node1, mac: 52:54:00:12:34:56, address: 192.168.127.11 }
  - { name: node2, mac: 52:54:00:12:34:57, address: 192.168.127.11 }
boot:
  entries:
    debian: { kernel: debian/VMLINUZ }
`;
  const { plan, faults } = compile(text);
  assert.equal(plan, undefined);
  assert.deepEqual(
    faults.map((fault) => fault.scope),
    ['plan', 'plan', 'plan', 'entry', 'entry'],
  );
  assert.deepEqual(faultLines(text), [
    '2:3: rack.nmae: expected one of name, state, control, found nmae (did you mean `name`?)',
    '7:13: subnets[0].router: expected an address inside 192.168.127.0/24, found 10.0.0.1',
    '8:12: subnets[0].lease: expected a time from 60s to 365d, written like 90s, 30m, 12h or 7d, found the number 12 (text like this needs quotes)',
    '11:53: hosts[1].address: expected an address of its own, found 192.168.127.11, taken on line 10',
    '14:23: boot.entries.debian.kernel: expected a readable file /var/lib/rackboot/files/debian/VMLINUZ, found none',
  ]);
});

test('keys given twice and values that are wrong are told together', () => {
  assert.deepEqual(faultLines(`${SUBNET}    lease: 1h\n    lease: 2h\nlog: { level: loud }\nlog: {}\n`), [
    '6:5: subnets[0].lease: expected each key once (it is on line 5), found it again',
    '7:15: log.level: expected one of debug, info, warn, error, found loud',
    '8:1: log: expected each key once (it is on line 7), found it again',
  ]);
});

test('a value that could not be read at all is told once', () => {
  assert.deepEqual(faultLines(SUBNET.replace('192.168.127.0/24', '*lan')), [
    '2:11: subnets[0].cidr: expected the name of an anchor set before it, found *lan',
  ]);
});

describe('after a syntax error', () => {
  test('wrong values are still told; what is missing or unknown is not guessed at', () => {
    const text = `${SUBNET}    lease: 5s\nhosts:\n  - name: node1\n   mac: 52:54:00:12:34:5\nboot:\n  defaul: x\n`;
    assert.deepEqual(faultLines(text), [
      '5:12: subnets[0].lease: expected a time from 60s to 365d, written like 90s, 30m, 12h or 7d, found 5s',
      '8:1: expected valid YAML, found this: Sequence item without - indicator',
      '8:9: hosts[1].mac: expected a MAC address like 52:54:00:12:34:56, found 52:54:00:12:34:5',
    ]);
    assert.equal(compile(text).plan, undefined);
  });

  test('unknown keys before it are told', () => {
    assert.deepEqual(
      faultLines(`${SUBNET}    routr: 192.168.127.1\nlog: [a\nhttp: {}\n`).map((line) => line.slice(0, 20)),
      ['5:5: subnets[0].rout', '6:6: log: expected a', '7:1: expected valid '],
    );
  });
});

describe('the file as a whole', () => {
  const whole =
    'a mapping with rack, region, subnets, hosts, options, always, classes, boot, images, http, tftp, dns, watch, admin, log, timeline';
  const texts = [
    ['', '1:1: subnets: expected a list of subnets, found nothing'],
    ['# nothing yet\n', '1:1: subnets: expected a list of subnets, found nothing'],
    ['- a\n', `1:1: expected ${whole}, found a list`],
    ['rack-a1', `1:1: expected ${whole}, found rack-a1`],
    [
      `${SUBNET}regions: { url: x }\n`,
      '5:1: regions: expected one of rack, region, subnets, hosts, options, always, classes, boot, images, http, tftp, dns, watch, admin, log, timeline, found regions (did you mean `region`?)',
    ],
    [`${SUBNET}hosts:\n`, '5:1: hosts: expected a list of hosts, found nothing'],
    [
      `${SUBNET}boot: { entries: [] }\n`,
      '5:18: boot.entries: expected a mapping of names to boot entries, found an empty list',
    ],
  ] as const;
  for (const [text, line] of texts) {
    test(JSON.stringify(text.slice(-24)), () => {
      assert.deepEqual(faultLines(text), [line]);
      assert.equal(compile(text).plan, undefined);
    });
  }
});

describe('the name of the rack', () => {
  test('is the host name up to its first dot', () => {
    assert.equal(planOf(SUBNET, { hostName: 'Node-7.example.org' }).rack.name, 'node-7');
  });

  test('must be given when the host name is none for DNS', () => {
    assert.deepEqual(faultLines(SUBNET, { hostName: 'my_host' }), [
      "1:1: rack.name: expected a name, since the host name 'my_host' is none for DNS, found nothing",
    ]);
    assert.deepEqual(faultLines(`rack: { name: a }\n${SUBNET}`, { hostName: 'my_host' }), []);
  });
});

const admin = (listen: string) => `${SUBNET}admin: { listen: "${listen}" }\n`;

describe('the operator plane', () => {
  test('listens on an address of this machine', () => {
    assert.match(
      faultLines(admin('192.0.2.1:80')).join('\n'),
      /^5:18: admin.listen: expected 0.0.0.0, 127.0.0.1 or an address/,
    );
    assert.deepEqual(faultLines(admin('10.1.0.1:80')), []);
  });

  test('does not take the port of the boot plane where both listen', () => {
    const line = '5:18: admin.listen: expected a port other than http.port where both listen';
    assert.deepEqual(faultLines(admin('0.0.0.0:5248')), [`${line}, found "0.0.0.0:5248"`]);
    assert.deepEqual(faultLines(admin('192.168.127.100:5248')), [`${line}, found "192.168.127.100:5248"`]);
    assert.deepEqual(faultLines(admin('127.0.0.1:5248')), []);
  });
});

test('relays are heard on every interface that has no subnet, where some subnets are local and some are not', () => {
  const far = '  - { cidr: 10.9.0.0/16, management: dhcp }\n';
  assert.deepEqual(planOf(`${SUBNET}${far}`).relayInterfaces, ['eth1']);
  assert.equal(planOf(SUBNET).relayInterfaces, undefined);
  assert.equal(planOf(`subnets:\n${far}`).relayInterfaces, undefined);
});
