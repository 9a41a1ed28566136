import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseCidr, type Cidr } from '../../src/addr/cidr.ts';
import { compile, faultLines, ip, planOf, SUBNET } from './rack-a1.ts';
import { NO_DNS } from './no-dns.ts';

/** The section begins on line 6. */
const GROUND = `${SUBNET}    domain: rack.example\n`;
const ALL_FILES = { fileExists: () => true, directory: '/etc/rackboot' };

function dnsOf(section: string) {
  return planOf(`${GROUND}dns:\n${section}`, ALL_FILES).dns;
}

function net(text: string): Cidr {
  const cidr = parseCidr(text);
  assert.ok(cidr);
  return cidr;
}

test('a file that says nothing of DNS has no zones, no secondaries, forwards nothing, and limits floods', () => {
  assert.deepEqual(planOf(GROUND).dns, NO_DNS);
});

test('a zone has its own rules, or those of all', () => {
  const { zones } = dnsOf(`  keys: [{ name: K.example., secret-file: k.key }]
  transfer: [192.168.127.9]
  zones:
    - { name: Lab.Example., file: zones/lab.zone }
    - { name: ddns.example, update: [10.0.0.0/8, { key: k.example }, { address: 10.1.0.1, key: K.example }] }
    - { name: open.example, file: /srv/../srv/open.zone, transfer: [], notify: ["10.0.0.1:5353"] }
    - { name: own.example, file: own.zone, transfer: [10.0.0.3, 10.4.0.0/16, { address: 10.0.0.4, key: k.example }] }
`);
  const inherited = {
    transfer: [{ cidr: net('192.168.127.9/32') }],
    notify: [{ address: ip('192.168.127.9'), port: 53 }],
  };
  assert.deepEqual(zones, [
    { name: 'lab.example', file: '/etc/rackboot/zones/lab.zone', update: [], ...inherited },
    {
      name: 'ddns.example',
      update: [{ cidr: net('10.0.0.0/8') }, { key: 'k.example' }, { cidr: net('10.1.0.1/32'), key: 'k.example' }],
      ...inherited,
    },
    {
      name: 'open.example',
      file: '/srv/open.zone',
      update: [],
      transfer: [],
      notify: [{ address: ip('10.0.0.1'), port: 5353 }],
    },
    {
      name: 'own.example',
      file: '/etc/rackboot/own.zone',
      update: [],
      transfer: [
        { cidr: net('10.0.0.3/32') },
        { cidr: net('10.4.0.0/16') },
        { cidr: net('10.0.0.4/32'), key: 'k.example' },
      ],
      notify: [
        { address: ip('10.0.0.3'), port: 53 },
        { address: ip('10.0.0.4'), port: 53, key: 'k.example' },
      ],
    },
  ]);
});

test('a resolver has a port of its kind', () => {
  const { forward, routes } = dnsOf(`  forward:
    - 192.0.2.53
    - 192.0.2.54:5353
    - { address: 192.0.2.55, tls: dns.example.net }
    - { address: 192.0.2.56, port: 8853, tls: dns.example.net }
  routes: [{ domain: _msdcs.corp.example, forward: [{ address: 10.0.0.53, port: 54 }] }]
`);
  assert.deepEqual(forward, [
    { address: ip('192.0.2.53'), port: 53 },
    { address: ip('192.0.2.54'), port: 5353 },
    { address: ip('192.0.2.55'), port: 853, tls: 'dns.example.net' },
    { address: ip('192.0.2.56'), port: 8853, tls: 'dns.example.net' },
  ]);
  assert.deepEqual(routes, [{ domain: '_msdcs.corp.example', forward: [{ address: ip('10.0.0.53'), port: 54 }] }]);
});

test('cache, limit, threads, identity and log are what is written', () => {
  const { cache, rateLimit, threads, nsid, queryLog, allow } =
    dnsOf(`  cache: { size: 1GiB, stale: off, prefetch: false, ttl-min: 5s, ttl-max: 2h }
  rate-limit: { responses: 5, window: 1m, slip: 0 }
  threads: 4
  nsid: "rack#1"
  query-log: on
  allow: [10.9.0.0/16, 10.8.0.1]
`);
  assert.deepEqual(cache, {
    sizeBytes: 2 ** 30,
    staleSeconds: 0,
    prefetch: false,
    leastTtlSeconds: 5,
    mostTtlSeconds: 7200,
  });
  assert.deepEqual(rateLimit, { responses: 5, windowSeconds: 60, slip: 0 });
  assert.deepEqual([threads, nsid, queryLog], [4, 'rack#1', true]);
  assert.deepEqual(allow, [net('10.9.0.0/16'), net('10.8.0.1/32')]);
  assert.equal(dnsOf('  rate-limit: off\n').rateLimit, undefined);
});

const WHO = 'an IPv4 address, a network like 10.0.0.0/8, or a mapping with address and key';

/** The zone is on line 10. */
const faultyZones: readonly (readonly [title: string, zone: string, line: string])[] = [
  [
    'no name',
    '{ file: a }',
    '10:7: dns.zones[1].name: expected a domain name like lab.example, at most 253 long, found nothing',
  ],
  [
    'a name that another has',
    '{ name: GOOD.example, file: a }',
    '10:15: dns.zones[1].name: expected a name of its own, found GOOD.example, taken on line 9',
  ],
  [
    'a name that is none',
    '{ name: a..b, file: a }',
    '10:15: dns.zones[1].name: expected a domain name like lab.example, at most 253 long, found a..b',
  ],
  [
    'the domain of a subnet',
    '{ name: rack.example, file: a }',
    '10:15: dns.zones[1].name: expected a name that is not the domain rack.example of a subnet, as that is made from hosts, names and leases, found rack.example',
  ],
  [
    'a name inside the domain of a subnet',
    '{ name: a.rack.example, file: a }',
    '10:15: dns.zones[1].name: expected a name that is not the domain rack.example of a subnet, as that is made from hosts, names and leases, found a.rack.example',
  ],
  [
    'the reverse zone of a subnet',
    '{ name: 127.168.192.in-addr.arpa, file: a }',
    '10:15: dns.zones[1].name: expected a name that is not the reverse zone of a subnet, as that is made from hosts, names and leases, found 127.168.192.in-addr.arpa',
  ],
  [
    'neither a file nor updates',
    '{ name: a.example }',
    '10:7: dns.zones[1].file: expected a master file, or `update` to live of updates alone, found nothing',
  ],
  [
    'a file that is none',
    '{ name: a.example, file: zones/ }',
    '10:32: dns.zones[1].file: expected the path of a file, found zones/',
  ],
  [
    'a key that is not there',
    '{ name: a.example, file: a, update: [{ key: kk.example }] }',
    '10:51: dns.zones[1].update[0].key: expected the name of a key, found kk.example (did you mean `k.example`?)',
  ],
  [
    'neither an address nor a key',
    '{ name: a.example, file: a, update: [{}] }',
    '10:44: dns.zones[1].update[0]: expected an address, a key, or both, found a mapping',
  ],
  [
    'a client that is none',
    '{ name: a.example, file: a, transfer: [10.0.0.0.1] }',
    `10:46: dns.zones[1].transfer[0]: expected ${WHO}, found 10.0.0.0.1`,
  ],
  [
    'a network with host bits',
    '{ name: a.example, file: a, transfer: [10.0.0.1/8] }',
    "10:46: dns.zones[1].transfer[0]: expected the network's own address, 10.0.0.0/8, found 10.0.0.1/8",
  ],
  [
    'a secondary that is none',
    '{ name: a.example, file: a, notify: [10.0.0.0/8] }',
    '10:44: dns.zones[1].notify[0]: expected an IPv4 address, one with a port like 192.0.2.53:5353, or a mapping, found 10.0.0.0/8',
  ],
  [
    'a port that is none',
    '{ name: a.example, file: a, notify: ["10.0.0.1:70000"] }',
    '10:44: dns.zones[1].notify[0]: expected an IPv4 address, one with a port like 192.0.2.53:5353, or a mapping, found "10.0.0.1:70000"',
  ],
  [
    'a key with a slip of the pen',
    '{ name: a.example, fiel: a, update: [10.0.0.1] }',
    '10:26: dns.zones[1].fiel: expected one of name, file, update, transfer, notify, found fiel (did you mean `file`?)',
  ],
];

describe('a zone is out of service, and nothing else, for', () => {
  for (const [title, zone, line] of faultyZones) {
    test(title, () => {
      const text = `${GROUND}dns:\n  keys: [{ name: k.example, secret-file: k }]\n  zones:\n    - { name: good.example, file: good }\n    - ${zone}\n    - { name: last.example, file: last }\n`;
      assert.deepEqual(faultLines(text, ALL_FILES), [line]);
      const { plan, faults } = compile(text, ALL_FILES);
      assert.deepEqual(
        faults.map(({ scope }) => scope),
        ['entry'],
      );
      assert.deepEqual(
        plan?.dns.zones.map(({ name }) => name),
        ['good.example', 'last.example'],
      );
    });
  }
});

test('a parent of a domain, a wider reverse zone and that of a subnet without names are zones like others', () => {
  const text = `${GROUND}  - { cidr: 10.1.0.0/16, interface: eth1, management: dhcp, domain: quiet.example }
dns:
  zones:
    - { name: example, file: a }
    - { name: quiet.example, file: a }
    - { name: 168.192.in-addr.arpa, file: a }
    - { name: 1.10.in-addr.arpa, file: a }
    - { name: 126.168.192.in-addr.arpa, file: a }
    - { name: 0/25.126.168.192.in-addr.arpa, file: a }
`;
  assert.equal(planOf(text, ALL_FILES).dns.zones.length, 6);
});

describe('a key with a fault is out of service, and lets nobody in', () => {
  const uses = `  transfer: [{ key: a.example }, { address: 10.0.0.1, key: a.example }, { key: b.example }]\n`;
  const faulty: readonly (readonly [key: string, expected: string])[] = [
    [
      '{ name: a.example, algorithm: hmac-md5, secret-file: a }',
      '7:40: dns.keys[0].algorithm: expected one of hmac-sha256, hmac-sha384, hmac-sha512, found hmac-md5',
    ],
    ['{ name: a.example }', '7:10: dns.keys[0].secret-file: expected the path of a file, found nothing'],
    [
      '{ name: a.example, secret-file: gone }',
      '7:42: dns.keys[0].secret-file: expected a readable file /etc/rackboot/gone, found none',
    ],
  ];
  for (const [key, line] of faulty) {
    test(line, () => {
      const text = `${GROUND}dns:\n  keys: [${key}, { name: b.example, secret-file: b }]\n${uses}`;
      const files = { ...ALL_FILES, fileExists: (path: string) => !path.endsWith('gone') };
      const { plan, faults } = compile(text, files);
      assert.deepEqual(
        faults.map(({ scope }) => scope),
        ['entry'],
      );
      assert.deepEqual(faultLines(text, files), [line]);
      assert.deepEqual(plan?.dns.transfer, [{ key: 'b.example' }]);
      assert.deepEqual(plan.dns.notify, []);
    });
  }

  test('of two with one name the earlier one is the key', () => {
    const text = `${GROUND}dns:\n  keys: [{ name: a.example, secret-file: a }, { name: A.example, secret-file: b }]\n`;
    assert.deepEqual(faultLines(text, ALL_FILES), [
      '7:55: dns.keys[1].name: expected a name of its own, found A.example, taken on line 7',
    ]);
    assert.deepEqual(planOf(text, ALL_FILES).dns.keys, [
      { name: 'a.example', algorithm: 'hmac-sha256', secretFile: '/etc/rackboot/a' },
    ]);
  });
});

describe('no plan comes of', () => {
  const faulty: readonly (readonly [section: string, line: string])[] = [
    [
      'transfer: [{ key: a.example }]',
      '7:21: dns.transfer[0].key: expected the name of a key, and there are none in dns.keys, found a.example',
    ],
    [
      'notify: [{ address: 10.0.0.1, key: a.example }]',
      '7:38: dns.notify[0].key: expected the name of a key, and there are none in dns.keys, found a.example',
    ],
    ['forward: []', '7:12: dns.forward: expected at least one resolver, found an empty list'],
    [
      'forward: [{ address: 10.0.0.1, port: 0 }]',
      '7:40: dns.forward[0].port: expected a port number from 1 to 65535, found 0',
    ],
    [
      'forward: [10.0.0.1, 192.168.127.100]',
      '7:23: dns.forward[1]: expected another resolver than this rack, which would ask itself for ever, found 192.168.127.100',
    ],
    [
      'forward: [{ address: 10.0.0.1, ca: /etc/ca.pem }]',
      '7:38: dns.forward[0].ca: expected tls beside it: the name to vouch for, found /etc/ca.pem',
    ],
    [
      'routes: [{ domain: corp.example, forward: [192.168.127.100] }]',
      '7:46: dns.routes[0].forward[0]: expected another resolver than this rack, which would ask itself for ever, found 192.168.127.100',
    ],
    ...['192.0.2.1', '192.0.2.1.'].map((tls): [string, string] => [
      `forward: [{ address: 10.0.0.1, tls: ${tls} }]`,
      `7:39: dns.forward[0].tls: expected a domain name like dns.example.net, at most 253 long, which the certificate is for; an address is none, found ${tls}`,
    ]),
    ['forward: [224.0.0.1]', '7:13: dns.forward[0]: expected the IPv4 address of one machine, found 224.0.0.1'],
    [
      'routes: [{ domain: a.rack.example, forward: [10.0.0.1] }]',
      '7:22: dns.routes[0].domain: expected a domain outside the domain rack.example of a subnet, which this rack answers for itself, found a.rack.example',
    ],
    [
      'routes: [{ domain: a.b, forward: [10.0.0.1] }, { domain: A.b, forward: [10.0.0.2] }]',
      '7:60: dns.routes[1].domain: expected a domain of its own, found A.b, taken on line 7',
    ],
    [
      'cache: { size: 512KiB }',
      '7:18: dns.cache.size: expected a size from 1MiB to 1GiB, written like 32MiB, found 512KiB',
    ],
    [
      'cache: { stale: 8d }',
      '7:19: dns.cache.stale: expected a time from 1m to 7d, written like 12h or 1d, or off, found 8d',
    ],
    ['cache: { ttl-min: 1h, ttl-max: 1m }', '7:21: dns.cache.ttl-min: expected at most ttl-max, found 1h'],
    ['rate-limit: on', '7:15: dns.rate-limit: expected off, or a mapping with responses, window, slip, found on'],
    ['rate-limit: { slip: 11 }', '7:23: dns.rate-limit.slip: expected a whole number from 0 to 10, found 11'],
    ['nsid: "a b"', '7:9: dns.nsid: expected printable text of at most 64 characters without blanks, found "a b"'],
    ['threads: 17', '7:12: dns.threads: expected a whole number from 1 to 16, found 17'],
    ['query-log: yes', '7:14: dns.query-log: expected on or off, found yes'],
    [
      'allow: [10.0.0.0/7]',
      '7:11: dns.allow[0]: expected a network of /8 or smaller whose addresses machines can have, found 10.0.0.0/7',
    ],
  ];
  for (const [section, line] of faulty) {
    test(section, () => {
      const text = `${GROUND}dns:\n  ${section}\n`;
      assert.deepEqual(faultLines(text, ALL_FILES), [line]);
      assert.equal(compile(text, ALL_FILES).plan, undefined);
    });
  }
});
