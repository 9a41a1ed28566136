import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseIp6 } from '../../src/addr/ip6.ts';
import { compile, faultLines, ip, planOf, SUBNET } from './rack-a1.ts';

/** Hosts stand on line 8 and 9; `dns` begins on line 10. */
const GROUND = `${SUBNET}    domain: rack.example
  - { cidr: 10.1.0.0/16, interface: eth1, management: dhcp, domain: quiet.example }
hosts:
  - { name: node1, mac: "52:54:00:00:00:01", address: 192.168.127.5 }
  - { name: node2, mac: "52:54:00:00:00:02" }
`;
const ALL_FILES = { fileExists: () => true, directory: '/etc/rackboot' };

test('names lie in the domain of a subnet or in one of their own, and are kept in file order', () => {
  const { dns } = planOf(`${GROUND}dns:
  domains: [Apps.Example., rack.example, quiet.example]
  names:
    - { name: WWW.rack.example., addresses: [192.168.127.50, "2001:db8::50", 198.51.100.7], ttl: 1h }
    - { name: git.apps.example, alias: Elsewhere.example }
    - { name: apps.example, addresses: [192.168.127.50] }
    - { name: a.b.rack.example, addresses: [192.168.127.5], ttl: 0s }
    - { name: node1.apps.example, addresses: [10.0.0.1] }
    - { name: x.node1.rack.example, addresses: [10.0.0.1] }
    - { name: node1.quiet.example, addresses: [10.0.0.1] }
`);
  assert.deepEqual(dns.domains, ['apps.example', 'rack.example', 'quiet.example']);
  assert.deepEqual(dns.names.slice(0, 4), [
    {
      name: 'www.rack.example',
      ttlSeconds: 3600,
      addresses: [ip('192.168.127.50'), ip('198.51.100.7')],
      addresses6: [parseIp6('2001:db8::50')],
    },
    { name: 'git.apps.example', ttlSeconds: 300, addresses: [], addresses6: [], alias: 'elsewhere.example' },
    { name: 'apps.example', ttlSeconds: 300, addresses: [ip('192.168.127.50')], addresses6: [] },
    { name: 'a.b.rack.example', ttlSeconds: 0, addresses: [ip('192.168.127.5')], addresses6: [] },
  ]);
  assert.equal(dns.names.length, 7);
});

/** The name is on line 14, from column 7. */
const faultyNames: readonly (readonly [title: string, name: string, line: string])[] = [
  [
    'a name outside the domains',
    '{ name: www.other.example, addresses: [10.0.0.1] }',
    '14:15: dns.names[1].name: expected a name in rack.example or apps.example, found www.other.example',
  ],
  [
    'a name in the domain of a subnet without names',
    '{ name: www.quiet.example, addresses: [10.0.0.1] }',
    '14:15: dns.names[1].name: expected a name in rack.example or apps.example, found www.quiet.example',
  ],
  [
    'a name that only ends like a domain',
    '{ name: grapps.example, addresses: [10.0.0.1] }',
    '14:15: dns.names[1].name: expected a name in rack.example or apps.example, found grapps.example',
  ],
  [
    'no name',
    '{ addresses: [10.0.0.1] }',
    '14:7: dns.names[1].name: expected a domain name like lab.example, at most 253 long, found nothing',
  ],
  [
    'a name that another has',
    '{ name: GOOD.apps.example, alias: a.example }',
    '14:15: dns.names[1].name: expected a name of its own, found GOOD.apps.example, taken on line 13',
  ],
  [
    'that of a host',
    '{ name: node1.rack.example, addresses: [10.0.0.1] }',
    '14:15: dns.names[1].name: expected a name other than that of a host, whose address its own entry tells, found node1.rack.example',
  ],
  [
    'that of a host whose address is known when it has a lease',
    '{ name: node2.rack.example, addresses: [10.0.0.1] }',
    '14:15: dns.names[1].name: expected a name other than that of a host, whose address its own entry tells, found node2.rack.example',
  ],
  [
    'that of the rack',
    '{ name: rack-a1.apps.example, alias: a.example }',
    '14:15: dns.names[1].name: expected a name other than that of this rack, found rack-a1.apps.example',
  ],
  [
    'neither addresses nor an alias',
    '{ name: a.apps.example }',
    '14:7: dns.names[1].addresses: expected addresses, or an alias, found nothing',
  ],
  [
    'both',
    '{ name: a.apps.example, addresses: [10.0.0.1], alias: a.apps.example }',
    '14:61: dns.names[1].alias: expected an alias or addresses, not both, found a.apps.example',
  ],
  [
    'an alias of itself',
    '{ name: a.apps.example, alias: A.apps.example. }',
    '14:38: dns.names[1].alias: expected another name than itself, found A.apps.example.',
  ],
  [
    'an alias that is a domain',
    '{ name: apps.example, alias: a.example }',
    '14:36: dns.names[1].alias: expected addresses instead, as the name of a domain is no alias, found a.example',
  ],
  [
    'no addresses in the list',
    '{ name: a.apps.example, addresses: [] }',
    '14:42: dns.names[1].addresses: expected at least one address, found an empty list',
  ],
  [
    'an address twice',
    '{ name: a.apps.example, addresses: ["2001:db8::1", 10.0.0.1, "2001:DB8:0::1"] }',
    '14:68: dns.names[1].addresses[2]: expected each address once, found "2001:DB8:0::1"',
  ],
  [
    'an address that is none',
    '{ name: a.apps.example, addresses: [10.0.0.256] }',
    '14:43: dns.names[1].addresses[0]: expected an IPv4 address like 192.168.127.50, or an IPv6 address like 2001:db8::50, found 10.0.0.256',
  ],
  [
    'a time without end',
    '{ name: a.apps.example, addresses: [10.0.0.1], ttl: 366d }',
    '14:59: dns.names[1].ttl: expected a time from 0s to 365d, written like 30s, 5m or 1h, found 366d',
  ],
  [
    'a slip of the pen',
    '{ name: a.apps.example, adresses: [10.0.0.1], alias: a.example }',
    '14:31: dns.names[1].adresses: expected one of name, addresses, alias, ttl, found adresses (did you mean `addresses`?)',
  ],
];

describe('a name is out of service, and nothing else, for', () => {
  for (const [title, name, line] of faultyNames) {
    test(title, () => {
      const text = `${GROUND}dns:\n  domains: [apps.example]\n  names:\n    - { name: good.apps.example, addresses: [10.0.0.1] }\n    - ${name}\n    - { name: last.apps.example, addresses: [10.0.0.1] }\n`;
      assert.deepEqual(faultLines(text), [line]);
      const { plan, faults } = compile(text);
      assert.deepEqual(
        faults.map(({ scope }) => scope),
        ['entry'],
      );
      assert.deepEqual(
        plan?.dns.names.map((each) => each.name),
        ['good.apps.example', 'last.apps.example'],
      );
    });
  }
});

describe('a domain is out of service, and so are the names that may be meant for it, for', () => {
  const faulty: readonly (readonly [domain: string, line: string])[] = [
    [
      '"-.example"',
      '11:22: dns.domains[1]: expected a domain name like rack.example, at most 189 long, found "-.example"',
    ],
    ['APPS.example', '11:22: dns.domains[1]: expected a name of its own, found APPS.example, taken on line 11'],
    [
      '127.168.192.in-addr.arpa',
      '11:22: dns.domains[1]: expected a domain outside the reverse zone of a subnet, which this rack answers for itself, found 127.168.192.in-addr.arpa',
    ],
  ];
  for (const [domain, line] of faulty) {
    test(domain, () => {
      const text = `${GROUND}dns:\n  domains: [apps.example, ${domain}, last.example]\n  names:\n    - { name: a.last.example, alias: a.example }\n    - { name: a.lost.example, alias: a.example }\n`;
      const { plan, faults } = compile(text);
      assert.deepEqual(faultLines(text), [line.replace('11:22', '11:27')]);
      assert.deepEqual(
        faults.map(({ scope }) => scope),
        ['entry'],
      );
      assert.deepEqual(plan?.dns.domains, ['apps.example', 'last.example']);
      assert.deepEqual(
        plan.dns.names.map(({ name }) => name),
        ['a.last.example'],
      );
    });
  }
});

test('a zone of a file that is one of the domains or in one is out of service, and no other resolver is asked for their names', () => {
  const text = `${GROUND}dns:
  domains: [apps.example]
  zones:
    - { name: example, file: a }
    - { name: apps.example, file: a }
    - { name: a.apps.example, file: a }
  routes: [{ domain: a.apps.example, forward: [10.0.0.53] }]
`;
  const [what, made] = ['the domain apps.example of dns.domains', 'as that is made from hosts, names and leases'];
  assert.deepEqual(faultLines(text, ALL_FILES), [
    `14:15: dns.zones[1].name: expected a name that is not ${what}, ${made}, found apps.example`,
    `15:15: dns.zones[2].name: expected a name that is not ${what}, ${made}, found a.apps.example`,
    `16:22: dns.routes[0].domain: expected a domain outside ${what}, which this rack answers for itself, found a.apps.example`,
  ]);
});

test('where there are no domains, or many, the fault says so in one line', () => {
  const names = 'dns:\n  names: [{ name: a.example, alias: b.example }]\n';
  assert.deepEqual(faultLines(`${SUBNET}${names}`), [
    '6:19: dns.names[0].name: expected a name in the domain of a subnet with dhcp+dns or in one of dns.domains, and there are none, found a.example',
  ]);
  const domains = `  domains: [${Array.from({ length: 7 }, (_, i) => `d${i}.test`).join(', ')}]\n`;
  assert.deepEqual(faultLines(`${SUBNET}${names}${domains}`), [
    '6:19: dns.names[0].name: expected a name in d0.test or d1.test or d2.test or d3.test or d4.test or 2 other domains, found a.example',
  ]);
});

test('ten thousand names with a fault among them are read', () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `    - { name: n${i}.apps.example, addresses: [10.0.0.1] }\n`);
  const text = `${GROUND}dns:\n  domains: [apps.example]\n  names:\n${names.join('')}    - { name: n7.apps.example, alias: a.example }\n`;
  assert.deepEqual(faultLines(text), [
    '10013:15: dns.names[10000].name: expected a name of its own, found n7.apps.example, taken on line 20',
  ]);
  assert.equal(compile(text).plan?.dns.names.length, 10_000);
});
