import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { PlanZones } from '../../src/dns/plan-zones.ts';
import { runWhole } from '../../src/dns/slices.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { keyText, nameKey } from '../../src/wire/dns/name.ts';
import { ttlOf } from '../../src/wire/dns/record-set.ts';
import { TYPE } from '../../src/wire/dns/record-type.ts';
import { planOf } from './plan-of.ts';
import { recordsOf } from './records-of.ts';

const MAC = '52:54:00:00:00:01';

function zonesOf(plan: Plan): PlanZones {
  const zones = new PlanZones(plan);
  runWhole(zones.build());
  return zones;
}

function origins(plan: Plan): string[] {
  return [...zonesOf(plan).zones.all()].map(({ origin }) => keyText(origin));
}

describe('zones', () => {
  test('are a forward and a reverse one for each subnet with dhcp+dns and a domain', () => {
    const plan = planOf({
      subnets: ['192.0.2.0/24 rack.example 192.0.2.1', '10.0.0.0/8 -', '172.16.0.0/23 b.example'],
    });
    assert.deepEqual(origins(plan), [
      'rack.example',
      '2.0.192.in-addr.arpa',
      'b.example',
      '0.16.172.in-addr.arpa',
      '1.16.172.in-addr.arpa',
    ]);
  });

  test('are shared by subnets of one domain or one /24', () => {
    const plan = planOf({ subnets: ['192.0.2.0/25 a.example', '192.0.2.128/25 a.example'] });
    assert.deepEqual(origins(plan), [
      'a.example',
      '2.0.192.in-addr.arpa',
      '0/25.2.0.192.in-addr.arpa',
      '128/25.2.0.192.in-addr.arpa',
    ]);
  });

  test('are none for a domain too long for a name below it', () => {
    const domain = `${'a'.repeat(63)}.`.repeat(3) + 'a'.repeat(60);
    assert.deepEqual(origins(planOf({ subnets: [`192.0.2.0/24 ${domain}`] })), []);
  });

  test('are one for each further domain, but for one that a subnet has', () => {
    const plan = planOf({
      subnets: ['192.0.2.0/24 a.example 192.0.2.1'],
      domains: ['apps.example', 'a.example', 'deep.a.example'],
    });
    assert.deepEqual(origins(plan), ['a.example', '2.0.192.in-addr.arpa', 'apps.example', 'deep.a.example']);
    const zone = zonesOf(plan).zones.get(nameKey('apps.example'));
    assert.deepEqual(
      zone?.apex.sets.map(({ type }) => type),
      [TYPE.SOA, TYPE.NS],
    );
  });
});

describe('records', () => {
  const tables: [title: string, plan: Parameters<typeof planOf>[0], records: string[]][] = [
    [
      'of the rack and a host',
      { subnets: ['192.0.2.0/24 rack.example 192.0.2.1'], hosts: [`node1 192.0.2.5 ${MAC}`] },
      [
        '1.2.0.192.in-addr.arpa PTR rack-a1.rack.example',
        '5.2.0.192.in-addr.arpa PTR node1.rack.example',
        'node1.rack.example A 192.0.2.5',
        'rack-a1.rack.example A 192.0.2.1',
      ],
    ],
    [
      'of a rack with two addresses in one domain',
      { subnets: ['192.0.2.0/24 a.example 192.0.2.1', '198.51.100.0/24 a.example 198.51.100.1'] },
      [
        '1.100.51.198.in-addr.arpa PTR rack-a1.a.example',
        '1.2.0.192.in-addr.arpa PTR rack-a1.a.example',
        'rack-a1.a.example A 192.0.2.1',
        'rack-a1.a.example A 198.51.100.1',
      ],
    ],
    [
      'of a rack that is known by its full name',
      { rack: 'Rack7.dc.example', subnets: ['192.0.2.0/24 a.example 192.0.2.1'] },
      ['1.2.0.192.in-addr.arpa PTR rack7.a.example', 'rack7.a.example A 192.0.2.1'],
    ],
    [
      'of a subnet behind relays: the rack has the address of another',
      { subnets: ['192.0.2.0/24 - 192.0.2.1', '198.51.100.0/24 far.example'] },
      ['rack-a1.far.example A 192.0.2.1'],
    ],
    [
      'of hosts: the rack keeps its name and address, the first host keeps its own, and one outside the domains has none',
      {
        subnets: ['192.0.2.0/24 a.example 192.0.2.1', '10.0.0.0/24 -'],
        hosts: [
          'rack-a1 192.0.2.9',
          'thief 192.0.2.1',
          'n 192.0.2.5',
          'n 192.0.2.6',
          'm 192.0.2.5',
          'o 10.0.0.5',
          'p -',
        ],
      },
      [
        '1.2.0.192.in-addr.arpa PTR rack-a1.a.example',
        '5.2.0.192.in-addr.arpa PTR n.a.example',
        'n.a.example A 192.0.2.5',
        'rack-a1.a.example A 192.0.2.1',
      ],
    ],
    [
      'of one host name in two domains',
      { subnets: ['192.0.2.0/24 a.example', '10.0.0.0/24 b.example'], hosts: ['n 192.0.2.5', 'n 10.0.0.5'] },
      [
        '5.0.0.10.in-addr.arpa PTR n.b.example',
        '5.2.0.192.in-addr.arpa PTR n.a.example',
        'n.a.example A 192.0.2.5',
        'n.b.example A 10.0.0.5',
      ],
    ],
    [
      'in a subnet longer than /24 are found by their octets, and by what the CNAMEs of a parent lead to (RFC 2317)',
      { subnets: ['192.0.2.64/26 a.example 192.0.2.65'], hosts: ['n 192.0.2.70'] },
      [
        '65.2.0.192.in-addr.arpa PTR rack-a1.a.example',
        '65.64/26.2.0.192.in-addr.arpa PTR rack-a1.a.example',
        '70.2.0.192.in-addr.arpa PTR n.a.example',
        '70.64/26.2.0.192.in-addr.arpa PTR n.a.example',
        'n.a.example A 192.0.2.70',
        'rack-a1.a.example A 192.0.2.65',
      ],
    ],
    [
      'in a /16 have empty names above them',
      { subnets: ['10.1.0.0/16 a.example'], hosts: ['n 10.1.2.3'] },
      ['2.1.10.in-addr.arpa -', '3.2.1.10.in-addr.arpa PTR n.a.example', 'n.a.example A 10.1.2.3'],
    ],
  ];
  const names: typeof tables = [
    [
      'of names: addresses of both kinds, an alias, one deep in its domain and one that is a domain',
      {
        subnets: ['192.0.2.0/24 a.example'],
        domains: ['apps.example'],
        names: [
          'www.a.example 192.0.2.50 2001:db8::50 198.51.100.7',
          'git.apps.example = www.a.example',
          'x.y.apps.example 203.0.113.9',
          'apps.example 192.0.2.51',
        ],
      },
      [
        '50.2.0.192.in-addr.arpa PTR www.a.example',
        '51.2.0.192.in-addr.arpa PTR apps.example',
        'apps.example A 192.0.2.51',
        'git.apps.example CNAME www.a.example',
        'www.a.example A 192.0.2.50',
        'www.a.example A 198.51.100.7',
        'www.a.example AAAA 2001:db8::50',
        'x.y.apps.example A 203.0.113.9',
        'y.apps.example -',
      ],
    ],
    [
      'of names: the rack and a host are what their addresses are called, then the first name of each',
      {
        subnets: ['192.0.2.0/24 a.example 192.0.2.1', '192.0.2.128/25 -'],
        hosts: [`node1 192.0.2.5 ${MAC}`],
        domains: ['apps.example'],
        names: ['all.apps.example 192.0.2.1 192.0.2.5 192.0.2.6', 'six.a.example 192.0.2.6'],
      },
      [
        '1.2.0.192.in-addr.arpa PTR rack-a1.a.example',
        '5.2.0.192.in-addr.arpa PTR node1.a.example',
        '6.2.0.192.in-addr.arpa PTR all.apps.example',
        'all.apps.example A 192.0.2.1',
        'all.apps.example A 192.0.2.5',
        'all.apps.example A 192.0.2.6',
        'node1.a.example A 192.0.2.5',
        'rack-a1.a.example A 192.0.2.1',
        'rack-a1.apps.example A 192.0.2.1',
        'six.a.example A 192.0.2.6',
      ],
    ],
    [
      'of names in a /24 that is wider than the subnet: what is beside the subnet is not called by ours',
      { subnets: ['192.0.2.64/26 a.example'], names: ['www.a.example 192.0.2.70 192.0.2.200'] },
      [
        '70.2.0.192.in-addr.arpa PTR www.a.example',
        '70.64/26.2.0.192.in-addr.arpa PTR www.a.example',
        'www.a.example A 192.0.2.200',
        'www.a.example A 192.0.2.70',
      ],
    ],
  ];
  for (const [title, plan, records] of [...tables, ...names]) {
    test(title, () => assert.deepEqual(recordsOf(zonesOf(planOf(plan)).zones), records));
  }

  test('of a name may be kept for as long as it says, forward and reverse', () => {
    const { zones } = zonesOf(planOf({ subnets: ['192.0.2.0/24 a.example'], names: ['www.a.example 192.0.2.50'] }));
    const ttls = ['www.a.example', '50.2.0.192.in-addr.arpa'].map((name) => {
      const [set] = zones.find(nameKey(name))?.find(nameKey(name)) ?? [];
      return set && ttlOf(set);
    });
    assert.deepEqual(ttls, [60, 60]);
  });

  test('of ten thousand names are all there', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `n${i}.apps.example 10.1.${i >>> 8}.${i & 255}`);
    const plan = planOf({ subnets: ['10.1.0.0/16 a.example'], domains: ['apps.example'], names: many });
    const [zone, reverse] = ['apps.example', '1.10.in-addr.arpa'].map((name) => zonesOf(plan).zones.get(nameKey(name)));
    assert.deepEqual([zone?.records, reverse?.records], [10_002, 10_002]);
  });
});
