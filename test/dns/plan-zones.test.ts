import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { PlanZones } from '../../src/dns/plan-zones.ts';
import { runWhole } from '../../src/dns/slices.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { keyText } from '../../src/wire/dns/name.ts';
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
  for (const [title, plan, records] of tables) {
    test(title, () => assert.deepEqual(recordsOf(zonesOf(planOf(plan)).zones), records));
  }
});
