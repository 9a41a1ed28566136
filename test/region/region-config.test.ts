import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { test } from 'node:test';

import { readRegionConfig, type RegionConfig, type RegionFlags } from '../../src/region/region-config.ts';

function configOf(text: string, flags?: RegionFlags): RegionConfig {
  const config = readRegionConfig(text, 'region.yaml', flags);
  if ('faults' in config) assert.fail(config.faults.join('\n'));
  return config;
}

function faultsOf(text: string, flags?: RegionFlags): readonly string[] {
  const config = readRegionConfig(text, 'region.yaml', flags);
  return 'faults' in config ? config.faults : [];
}

test('a region without a file has its database in itself, and serves everybody', () => {
  const { database, listen, tls, control, events, audit } = configOf('');
  assert.deepEqual(
    [database, listen, tls, control, events, audit],
    [
      'embedded',
      [{ address: 0, port: 5240 }],
      undefined,
      '/var/lib/rackboot-region/control.sock',
      { age: 7_776_000, most: 10_000_000 },
      { age: 63_072_000, most: 1_000_000 },
    ],
  );
});

test('etc/region.yaml has every key, with its default where it has one', () => {
  const example = readFileSync(new URL('../../etc/region.yaml', import.meta.url), 'utf8');
  assert.deepEqual(configOf(example), configOf(''));
  const filled = example.replace('database: embedded', 'database: postgres://rackboot@db.example/rackboot');
  const all = configOf(filled.replaceAll(/^# (?=[a-z-]+:| {2})/gm, ''));
  assert.deepEqual(
    [all.tls?.key, all.images, all.proxies?.length],
    ['/etc/rackboot/region-key.pem', { directory: '/srv/mirror', url: 'https://region.example:5240' }, 1],
  );
  const keys = /expected one of (.*), found/.exec(faultsOf('x: 1\n').join())?.[1]?.split(', ') ?? [];
  for (const key of keys) assert.match(example, new RegExp(`^(?:# )?${key}:`, 'm'));
});

test('what the command line says goes before the file', () => {
  const { state, log, listen } = configOf('state: /a\nlog: { level: warn }\n', {
    state: '/b',
    listen: ['127.0.0.1:1', '127.0.0.1:2'],
  });
  assert.deepEqual([state, log.level, listen.map(({ port }) => port)], ['/b', 'warn', [1, 2]]);
});

test('balancers are told by address or network', () => {
  assert.equal(configOf('').proxies, undefined);
  assert.deepEqual(configOf('proxies: [10.0.0.0/8, 192.0.2.1]\n').proxies, [
    { network: 0x0a000000, prefix: 8 },
    { network: 0xc0000201, prefix: 32 },
  ]);
  assert.match(faultsOf('proxies: any\n').join(), /^region\.yaml:1:10: proxies: expected an IPv4 address/);
});

const TABLE: readonly (readonly [text: string, flags: RegionFlags, faults: readonly string[]])[] = [
  [
    'listen: x\nbogus: 1\ndatabse: embedded\ntls: { key: /k }\nevents: { age: 1h }\n',
    {},
    [
      'region.yaml:1:9: listen: expected an address and a port like 127.0.0.1:5249, found x',
      'region.yaml:2:1: bogus: expected one of state, database, password-file, listen, proxies, url, tls, images, events, audit, log, found bogus',
      'region.yaml:3:1: databse: expected one of state, database, password-file, listen, proxies, url, tls, images, events, audit, log, found databse (did you mean `database`?)',
      'region.yaml:4:1: tls.certificate: expected an absolute path of a file, found nothing',
      'region.yaml:5:16: events.age: expected a time from 1d to 3650d, written like 30d or 365d, found 1h',
    ],
  ],
  [
    'images: /srv\n',
    {},
    ['region.yaml:1:1: images: expected `url` beside it, as racks are to be told where they are, found /srv'],
  ],
  [
    '- a\n',
    {},
    [
      'region.yaml:1:1: expected a mapping with state, database, password-file, listen, proxies, url, tls, images, events, audit, log, found a list',
    ],
  ],
  [
    'state: /a: b\n',
    {},
    [
      'region.yaml:1:8: expected valid YAML, found this: Nested mappings are not allowed in compact mappings',
      'region.yaml:1:8: state: expected an absolute path of a directory, found a mapping',
    ],
  ],
  [
    `state: /${'a'.repeat(100)}\n`,
    {},
    [
      `region.yaml:1:8: state: expected a shorter path, as control.sock in it must be reached, found /${'a'.repeat(58)}…`,
    ],
  ],
  [
    'password-file: /p\n',
    {},
    ['region.yaml:1:1: password-file: expected a database that is none embedded beside it, found /p'],
  ],
];

for (const [text, flags, faults] of TABLE) {
  test(`of ${JSON.stringify(text.slice(0, 40))} and ${JSON.stringify(flags)} all faults are told with their places`, () => {
    assert.deepEqual(faultsOf(text, flags), faults);
  });
}

test('a password shows itself in no fault and no dump', () => {
  const secret = 'geheim';
  for (const database of [
    `mysql://a:${secret}@db/x`,
    `postgres://a:${secret}@db`,
    `postgres:/a:${secret}`,
    secret,
    `//${secret}`,
  ]) {
    const faults = faultsOf(`database: ${database}\n`);
    assert.ok(faults.length === 1 && !faults[0]?.includes(secret), faults.join());
    assert.ok(!faultsOf('', { database }).join().includes(secret));
  }
  const twice = faultsOf(`database: postgres://a:${secret}@db/x\npassword-file: /p\n`);
  assert.deepEqual(twice, ['region.yaml:1:11: database: expected no password, as there is `password-file`, found one']);
  const { database } = configOf(`database: postgres://a:${secret}@db/x\n`);
  if (database === 'embedded') assert.fail();
  assert.ok(![JSON.stringify(database), inspect(database), String(database)].join().includes(secret));
  assert.equal(
    database.reveal(() => ''),
    `postgres://a:${secret}@db/x`,
  );
});

test('a password of a file goes to the database, whatever is in it and however that is reached', () => {
  const { database } = configOf('database: postgres:///x?host=/run/pg\npassword-file: /p\n');
  if (database === 'embedded') assert.fail();
  assert.equal(
    database.reveal((file) => (file === '/p' ? 'a&b=%\n' : '')),
    'postgres:///x?host=%2Frun%2Fpg&password=a%26b%3D%25',
  );
});
