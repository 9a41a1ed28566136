import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import * as fc from 'fast-check';

import { compilePlan, type Compiled } from '../../src/plan/compile-plan.ts';
import { formatFault } from '../../src/plan/fault.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { ip, rackA1 } from './rack-a1.ts';

const FILE = `rack: { name: rack-a1 }
region: { url: 'https://region.example' }
subnets:
  - cidr: 192.168.127.0/24
    interface: eth0
    management: dhcp
    router: 192.168.127.254
hosts:
  - { name: node1, mac: 52:54:00:00:00:01 }
boot:
  default: local
  entries:
    rescue: { kernel: debian/rescue }
`;

/** A file that follows a region and says nothing else but this. */
function fileOf(sections: object): string {
  const head = { rack: { name: 'rack-a1' }, region: { url: 'https://region.example' } };
  return Object.entries({ ...head, ...sections })
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
    .join('');
}

function host(more: object): object {
  return { hosts: [{ name: 'node1', ...more }] };
}

function subnet(more: object): object {
  return { subnets: [{ cidr: '192.168.127.0/24', ...more }] };
}

function times<T>(length: number, make: () => T): T[] {
  return Array.from({ length }, make);
}

function compileWith(config: unknown, text = FILE): Compiled {
  return compilePlan(text, 'rackboot.yaml', rackA1, { name: 'region plan 7', config });
}

test('a region that says nothing changes nothing', () => {
  const { plan, faults } = compilePlan(FILE, 'rackboot.yaml', rackA1);
  assert.deepEqual(compileWith({}), { plan, faults, conflicts: [] });
});

test('what the file leaves open the region may say: of a subnet, of a host, and more of each', () => {
  const { plan, faults, conflicts } = compileWith({
    subnets: [
      { cidr: '192.168.127.0/24', management: 'dhcp', dynamic: '192.168.127.121-192.168.127.140', lease: '2h' },
      { cidr: '10.7.0.0/16', management: 'none' },
    ],
    hosts: [
      { name: 'node1', address: '192.168.127.20' },
      { name: 'node2', mac: '52:54:00:00:00:02' },
    ],
    boot: { entries: { installer: { kernel: 'debian/vmlinuz' } } },
  });
  assert.deepEqual([faults.map(formatFault), conflicts], [[], []]);
  assert.equal(plan?.subnets.length, 2);
  assert.equal(plan.subnets[0]?.leaseSeconds, 7200);
  assert.deepEqual(
    plan.hosts.map(({ name }) => name),
    ['node1', 'node2'],
  );
  assert.deepEqual(
    plan.boot.entries.map(({ name }) => name),
    ['rescue', 'installer'],
  );
});

test('a subnet that only the region names is on the one interface of this machine that lies in it', () => {
  const { plan, faults } = compileWith(
    { subnets: [{ cidr: '192.168.127.0/24', management: 'dhcp', dynamic: '192.168.127.121-192.168.127.140' }] },
    'rack: { name: rack-a1 }\nregion: { url: "https://region.example" }\n',
  );
  assert.deepEqual(faults.map(formatFault), []);
  assert.equal(plan?.subnets[0]?.interface, 'eth0');
});

describe('of what both say the file counts, and where they differ that is named', () => {
  const table: readonly (readonly [what: string, added: string, config: unknown, conflicts: readonly string[]])[] = [
    [
      'keys of a subnet',
      '',
      subnet({ management: 'dhcp+dns', router: '192.168.127.1' }),
      [
        "subnets[192.168.127.0/24].management: the file says dhcp, the region dhcp+dns: the file's is used",
        "subnets[192.168.127.0/24].router: the file says 192.168.127.254, the region 192.168.127.1: the file's is used",
      ],
    ],
    [
      'a value of a section',
      '',
      { boot: { default: 'rescue' } },
      ["boot.default: the file says local, the region rescue: the file's is used"],
    ],
    [
      'a boot entry, of which two halves would be neither',
      '',
      { boot: { entries: { rescue: { image: 'ubuntu/noble' } } } },
      ["boot.entries.rescue: the file and the region differ: the file's is used"],
    ],
    ['what is said in other words', '', host({ mac: ['52-54-00-00-00-01'] }), []],
    ['defaults that one of them spells out', '', host({ mac: '52:54:00:00:00:01', boot: 'local' }), []],
    ['a name in capitals', '', { hosts: [{ name: 'NODE1', mac: '52:54:00:00:00:01' }] }, []],
    [
      'a MAC address',
      '',
      host({ mac: '52:54:00:00:00:02' }),
      ["hosts[node1].mac: the file says 52:54:00:00:00:01, the region 52:54:00:00:00:02: the file's is used"],
    ],
    [
      'options, by name or by number',
      'options: { interface-mtu: 1500, 42: [10.0.0.1] }\n',
      { options: { 26: 9000, 'ntp-servers': ['10.0.0.1'], 'nis-domain': 'x' } },
      ["options.interface-mtu: the file says 1500, the region 9000: the file's is used"],
    ],
    [
      'a class',
      'classes: [{ name: ipxe, match: { user-class: iPXE } }]\n',
      { classes: [{ name: 'ipxe', match: { arch: 7 } }] },
      ["classes[ipxe]: the file and the region differ: the file's is used"],
    ],
    [
      'a source of images, with and without a slash at its end',
      'images: { sources: [{ url: "https://m.example/a", unsigned: true }] }\n',
      { images: { interval: '2h', sources: [{ url: 'https://m.example/a/', keyring: '/usr/share/keyrings/a.gpg' }] } },
      ["images.sources[https://m.example/a]: the file and the region differ: the file's is used"],
    ],
    [
      'a route of names',
      'dns: { forward: [192.0.2.1], routes: [{ domain: a.example, forward: [192.0.2.2] }] }\n',
      { dns: { forward: ['192.0.2.9'], routes: [{ domain: 'A.example.', forward: ['192.0.2.9'] }] } },
      [
        "dns.forward: the file and the region differ: the file's is used",
        "dns.routes[a.example]: the file and the region differ: the file's is used",
      ],
    ],
    [
      'a name, of which two halves would be neither; domains are those of both',
      'dns: { domains: [a.example], names: [{ name: w.a.example, addresses: [192.0.2.1], ttl: 5m }] }\n',
      {
        dns: {
          domains: ['A.example.', 'b.example'],
          names: [
            { name: 'w.a.example', alias: 'x.b.example' },
            { name: 'v.b.example', alias: 'w.a.example' },
          ],
        },
      },
      ["dns.names[w.a.example]: the file and the region differ: the file's is used"],
    ],
    [
      'a text with the end of a line in it, or of any length',
      '',
      { boot: { default: `a\nb${'c'.repeat(1000)}` } },
      [`boot.default: the file says local, the region a b${'c'.repeat(56)}…: the file's is used`],
    ],
  ];
  for (const [what, added, config, conflicts] of table) {
    test(what, () => {
      const alone = compilePlan(`${FILE}${added}`, 'rackboot.yaml', rackA1);
      const compiled = compileWith(config, `${FILE}${added}`);
      assert.deepEqual(compiled.conflicts, conflicts);
      assert.deepEqual(compiled.faults.map(formatFault), alone.faults.map(formatFault));
    });
  }
});

describe('what the file leaves open of a part is the region’s', () => {
  const table: readonly (readonly [
    what: string,
    added: string,
    config: unknown,
    of: (plan: Plan) => unknown,
    served: unknown,
  ])[] = [
    [
      'an option beside another',
      'options: { interface-mtu: 1500 }\n',
      { options: { 'nis-domain': 'x' } },
      ({ options }) => options?.settings.map(({ code }) => code).toSorted((a, b) => a - b),
      [26, 40],
    ],
    [
      'an option of a host',
      '',
      { hosts: [{ name: 'node1', options: { 'interface-mtu': 9000 } }] },
      ({ hosts: [first] }) => first?.options?.settings.map(({ code }) => code),
      [26],
    ],
    [
      'a bound of loops beside another',
      'boot: { loop: { boots: 3 } }\n',
      { boot: { loop: { within: '1h' } } },
      ({ boot: { loop } }) => [loop?.boots, loop?.withinSeconds],
      [3, 3600],
    ],
    [
      'sources after those of the file',
      'images: { sources: [{ url: "https://b.example/", unsigned: true }] }\n',
      { images: { sources: [{ url: 'https://a.example/', unsigned: true }], parallel: 2 } },
      ({ images }) => [images?.parallel, ...(images?.sources.map(({ url }) => url) ?? [])],
      [2, 'https://b.example/', 'https://a.example/'],
    ],
    [
      'classes before those of the file, as of two that match the later one counts',
      'classes: [{ name: b, match: { arch: 7 } }]\n',
      { classes: [{ name: 'a', match: { arch: 7 } }] },
      ({ classes }) => classes?.map(({ name }) => name),
      ['a', 'b'],
    ],
    [
      'domains and names in them after those of the file',
      'dns: { domains: [b.example], names: [{ name: w.a.example, addresses: [192.0.2.1] }] }\n',
      { dns: { domains: ['a.example'], names: [{ name: 'v.b.example', alias: 'w.a.example' }] } },
      ({ dns: { domains, names } }) => [domains, names.map(({ name }) => name)],
      [
        ['b.example', 'a.example'],
        ['w.a.example', 'v.b.example'],
      ],
    ],
  ];
  for (const [what, added, config, of, served] of table) {
    test(what, () => {
      const text = `${FILE.replace(/^boot:[^]*/m, '')}${added}`;
      const { plan, faults, conflicts } = compileWith(config, text);
      assert.deepEqual([faults.map(formatFault), conflicts], [[], []]);
      assert.deepEqual(plan && of(plan), served);
    });
  }
});

describe('a subnet of the region without interface', () => {
  const BARE = fileOf({});
  const two = [
    { name: 'eth0', address: ip('10.0.0.1'), prefix: 24 },
    { name: 'eth1', address: ip('10.0.0.2'), prefix: 24 },
  ];
  const table: readonly (readonly [what: string, cidr: string, interfaces: typeof two, on: string | undefined])[] = [
    ['is on the only one with an address in it', '10.0.0.0/24', two.slice(0, 1), 'eth0'],
    ['is on one that has several', '10.0.0.0/24', two.map((row) => ({ ...row, name: 'eth0' })), 'eth0'],
    ['is on none of two: a region says which', '10.0.0.0/24', two, undefined],
    ['is reached through relays where none has one', '10.0.1.0/24', two, undefined],
  ];
  for (const [what, cidr, interfaces, on] of table) {
    test(what, () => {
      const region = { name: 'region plan 7', config: { subnets: [{ cidr, management: 'dhcp' }] } };
      const { plan, faults } = compilePlan(BARE, 'rackboot.yaml', { ...rackA1, interfaces }, region);
      assert.deepEqual(faults.map(formatFault), []);
      assert.equal(plan?.subnets[0]?.interface, on);
    });
  }

  test('is left to relays where the file has it so', () => {
    const text = `${BARE}subnets: [{ cidr: 192.168.127.0/24, management: dhcp }]\n`;
    const { plan } = compileWith({ subnets: [{ cidr: '192.168.127.0/24', lease: '1h' }] }, text);
    assert.deepEqual([plan?.subnets[0]?.interface, plan?.subnets[0]?.leaseSeconds], [undefined, 3600]);
  });

  test('is told of with the interface it was given', () => {
    const subnets = [
      { cidr: '10.1.0.0/16', management: 'dhcp' },
      { cidr: '10.2.0.0/16', management: 'dhcp' },
    ];
    assert.deepEqual(compileWith({ subnets }).faults.map(formatFault), [
      'region plan 7: subnets[1].interface: expected an interface of its own, or one `shared` name for this subnet and that in region plan 7, found eth1',
    ]);
  });
});

describe('a fault is told where it stands', () => {
  const table: readonly (readonly [config: unknown, line: string])[] = [
    [
      {
        subnets: [
          { cidr: '10.0.0.0/8', management: 'dhcp' },
          { cidr: '10.1.0.0/16', management: 'none' },
        ],
      },
      'region plan 7: subnets[1].cidr: expected a network apart from 10.0.0.0/8 in region plan 7, found 10.1.0.0/16',
    ],
    [
      { subnets: [{ cidr: '192.168.0.0/16', management: 'none' }] },
      'region plan 7: subnets[0].cidr: expected a network apart from 192.168.127.0/24 on line 4, found 192.168.0.0/16',
    ],
    [
      { subnets: [{ cidr: '192.168.127.0/24', dynamic: '192.168.127.250-192.168.127.254' }] },
      'region plan 7: subnets[0].dynamic: expected a range without the router 192.168.127.254, found 192.168.127.250-192.168.127.254',
    ],
    [
      { hosts: [{ name: 'b', mac: '52:54:00:00:00:01' }] },
      'region plan 7: hosts[0].mac: expected a MAC address of its own, found 52:54:00:00:00:01, taken on line 9',
    ],
    [
      { images: { sources: [{ url: 'file:///etc/', unsigned: true }] } },
      'region plan 7: images.sources[0].url: expected a URL with http or https, as a region has no say in files of this rack, found file:///etc/',
    ],
    [
      { images: { sources: [{ url: 'https://m.example/', keyring: '/usr/share/keyrings/../../../etc/shadow' }] } },
      'region plan 7: images.sources[0].keyring: expected keyring-data, or a file in /usr/share/keyrings/, as a region has no say in files of this rack, found /usr/share/keyrings/../../../etc/shadow',
    ],
    [
      { dns: { forward: [{ address: '192.0.2.53', tls: 'a.example', ca: '/etc/shadow' }] } },
      'region plan 7: dns.forward[0].ca: expected none, as a region has no say in files of this rack, found /etc/shadow',
    ],
    [
      { dns: { routes: [{ domain: 'a.example', forward: [{ address: '192.0.2.53', tls: 'b.example', ca: '/x' }] }] } },
      'region plan 7: dns.routes[0].forward[0].ca: expected none, as a region has no say in files of this rack, found /x',
    ],
    [{ hosts: [{ name: 'b', mac: 7 }] }, /^region plan 7: hosts\[0\]\.mac: expected .*, found 7$/.source],
    [
      { rack: { state: '/etc' } },
      'region plan 7: rack: expected one of subnets, hosts, options, always, classes, boot, images, dns, found rack, in which a region has no say',
    ],
    [
      { boot: { files: '/etc' } },
      'region plan 7: boot.files: expected one of default, entries, loop, exit, loaders, found files, in which a region has no say',
    ],
    [
      [],
      'region plan 7: expected a mapping with subnets, hosts, options, always, classes, boot, images, dns, found an empty list',
    ],
    [
      JSON.parse('{"hosts":[{"__proto__":{"name":"x"}}]}'),
      'region plan 7: hosts[0].__proto__: expected a plain word as key, found __proto__',
    ],
  ];
  for (const [config, expected] of table) {
    test(expected, () => {
      const lines = compileWith(config).faults.map(formatFault);
      assert.ok(
        lines.some((line) => line === expected || new RegExp(`^${expected}$`).test(line)),
        lines.join('\n'),
      );
    });
  }
});

test('a file that follows no region hears none', () => {
  const text = FILE.replace(/^region.*$/m, '');
  assert.deepEqual(compileWith({ rack: {} }, text).faults, []);
});

test('what a region has no say in takes nothing of the file out of service', () => {
  const config: unknown = JSON.parse('{"hosts":[{"name":"node2","mac":"52:54:00:00:00:02","__proto__":{}}],"http":{}}');
  const { plan, faults } = compileWith(config);
  assert.deepEqual(
    faults.map(({ scope, path }) => [scope, path]),
    [
      ['entry', 'hosts[0].__proto__'],
      ['entry', 'http'],
    ],
  );
  assert.deepEqual(
    plan?.hosts.map(({ name }) => name),
    ['node1', 'node2'],
  );
});

test('a fault of the file keeps its line beside a region', () => {
  const { faults } = compileWith(
    { hosts: [{ name: 'node2' }] },
    FILE.replace('router: 192.168.127.254', 'router: 10.0.0.1'),
  );
  assert.match(formatFault(faults[0] ?? assert.fail()), /^rackboot\.yaml:7:13: subnets\[0\]\.router: expected /);
});

describe('a region that says too much is told so in a few sentences', () => {
  const many = 100_000;
  const nested: unknown = JSON.parse('['.repeat(5000) + ']'.repeat(5000));
  const table: readonly (readonly [config: unknown, line: RegExp])[] = [
    [
      { hosts: times(many, () => ({ name: 'a', mac: 'b' })) },
      /^region plan 7: expected at most 200000 values, found more$/,
    ],
    [
      { hosts: [{ options: Object.fromEntries(Array.from({ length: 300_000 }, (_, i) => [`k${i}`, i])) }] },
      /^region plan 7: expected at most 200000 values, found more$/,
    ],
    [
      { subnets: times(many, () => ({ cidr: '10.0.0.0/8' })) },
      /^region plan 7: subnets: expected at most 4096 of them, found 100000$/,
    ],
    [
      { hosts: [{ mac: Array(many).fill('x') }] },
      /^region plan 7: hosts\[0\]\.mac: expected at most 4096 of them, found 100000$/,
    ],
    [{ hosts: nested }, /^region plan 7: hosts(\[0\]){32}: expected at most 32 levels, found more$/],
  ];
  for (const [config, line] of table) {
    test(line.source, () => {
      const { faults, conflicts } = compileWith(config);
      assert.match(formatFault(faults[0] ?? assert.fail()), line);
      assert.ok(faults.length < 5, faults.map(formatFault).join('\n'));
      assert.deepEqual(conflicts, []);
    });
  }
});

test('as many faults as there may be are all told', () => {
  const { faults } = compileWith({ hosts: times(40_000, () => ({ name: '-', mac: 'x', boot: 7 })) });
  assert.equal(faults.length, 120_000);
});

const PART = {
  subnets: [
    {
      cidr: '10.1.0.0/16',
      interface: 'eth1',
      management: 'dhcp',
      dynamic: '10.1.1.1-10.1.1.9',
      options: { 'interface-mtu': 9000 },
    },
  ],
  hosts: [
    { name: 'node2', mac: '52:54:00:00:00:02', boot: 'installer', options: { 'ntp-servers': ['10.1.0.9'] } },
    { name: 'node1', mac: '52:54:00:00:00:01' },
  ],
  options: { 'interface-mtu': 1500 },
  always: ['interface-mtu'],
  classes: [{ name: 'ipxe', match: { 'user-class': 'iPXE' } }],
  boot: { default: 'local', entries: { installer: { kernel: 'debian/vmlinuz' } } },
  dns: { forward: ['192.0.2.53'], routes: [{ domain: 'a.example', forward: ['192.0.2.54'] }] },
  images: { interval: '2h', sources: [{ url: 'https://m.example/', unsigned: true }] },
};
const sections = fc
  .subarray(Object.keys(PART))
  .map((names) => Object.fromEntries(Object.entries(PART).filter(([name]) => names.includes(name))));

test('a region that says what the file says adds nothing, and nothing is in conflict', () => {
  fc.assert(
    fc.property(sections, (part) => {
      const own = fileOf(part);
      const { plan, faults } = compilePlan(own, 'rackboot.yaml', rackA1);
      assert.deepEqual(compileWith(part, own), { plan, faults, conflicts: [] });
      assert.deepEqual(compileWith({}, own), { plan, faults, conflicts: [] });
    }),
  );
});

test('what is in the file and what the region says are served alike', () => {
  fc.assert(
    fc.property(sections, sections, (own, part) => {
      const merged = compileWith(part, fileOf(own));
      const { plan, faults } = compilePlan(fileOf({ ...part, ...own }), 'rackboot.yaml', rackA1);
      assert.deepEqual(merged.plan, plan);
      assert.equal(merged.faults.length, faults.length);
    }),
  );
});

test('whatever a region says is a Plan or faults', () => {
  const section = fc.constantFrom(
    'subnets',
    'hosts',
    'options',
    'always',
    'classes',
    'boot',
    'images',
    'dns',
    'rack',
    '__proto__',
  );
  const key = fc.constantFrom('cidr', 'name', 'mac', 'entries', 'sources', 'url', 'names', 'management', 'x');
  const inner = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(key, fc.jsonValue()),
    fc.array(fc.dictionary(key, fc.jsonValue())),
  );
  fc.assert(
    fc.property(fc.dictionary(section, inner), (config) => {
      const { plan, faults } = compileWith(config);
      assert.ok(plan !== undefined || faults.length > 0);
      for (const fault of faults) assert.ok(formatFault(fault).length > 0);
    }),
    { numRuns: Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 300) },
  );
});
