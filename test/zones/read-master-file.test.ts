import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { nameKey } from '../../src/wire/dns/name.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { formatZone } from '../../src/zones/format-zone.ts';
import { readMasterFile, type MasterZone } from '../../src/zones/read-master-file.ts';
import { formatProblem } from '../../src/zones/zone-problem.ts';
import { fuzz } from '../wire/fuzz.ts';
import { readLatin1, ZONE_FILES, ZONES } from './zone-fixtures.ts';

const TOP = '$TTL 1h\n@ SOA ns1 h 1 1h 15m 1w 5m\n@ NS ns1\nns1 A 192.0.2.1\n';

/** Reads files that are given by name, the first of them as the zone's. */
function readZone(files: Readonly<Record<string, string>>): MasterZone {
  const [first = ''] = Object.keys(files);
  return readMasterFile('lab.example', first, (path) => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return text;
  });
}

function faultsOf(files: Readonly<Record<string, string>>): string[] {
  return readZone(files).faults.map(formatProblem);
}

/** The records behind those of TOP, as text. */
function recordsOf(text: string, more: Readonly<Record<string, string>> = {}): string[] {
  const { records, faults } = readZone({ '/z/zone': TOP + text, ...more });
  assert.deepEqual(faults.map(formatProblem), []);
  return [...formatZone(records ?? [])].slice(3);
}

describe('a master file', () => {
  test('has its SOA first and the records of a set together', () => {
    const text =
      '@ NS ns1\nns1 A 192.0.2.1\na A 192.0.2.2\nb A 192.0.2.3\n$TTL 1h\na A 192.0.2.4\n@ SOA ns1 h 1 1h 15m 1w 5m\n';
    assert.deepEqual(
      [...formatZone(readZone({ '/z': `$TTL 60\n${text}` }).records ?? [])],
      [
        'lab.example. 3600 IN SOA ns1.lab.example. h.lab.example. 1 3600 900 604800 300',
        'lab.example. 60 IN NS ns1.lab.example.',
        'ns1.lab.example. 60 IN A 192.0.2.1',
        'a.lab.example. 60 IN A 192.0.2.2',
        'a.lab.example. 60 IN A 192.0.2.4',
        'b.lab.example. 60 IN A 192.0.2.3',
      ],
    );
  });

  test('has owners in lower case and data as they are spelled', () => {
    assert.deepEqual(recordsOf('WWW CNAME Host.Example.\n'), ['www.lab.example. 3600 IN CNAME Host.Example.']);
    assert.equal(readZone({ '/z': TOP }).origin, nameKey('lab.example'));
  });

  const readings: readonly (readonly [title: string, text: string, ...records: string[]])[] = [
    [
      'a blank stands for the owner above',
      'a A 192.0.2.2\n  TXT x\n',
      'a.lab.example. 3600 IN A 192.0.2.2',
      'a.lab.example. 3600 IN TXT "x"',
    ],
    [
      'a TTL and a class come in either order',
      'a 5 IN TXT x\nb IN 1m TXT x\n',
      'a.lab.example. 5 IN TXT "x"',
      'b.lab.example. 60 IN TXT "x"',
    ],
    [
      'an owner may look like a TTL, a class or a type',
      '5 TXT x\nin TXT x\nmx MX 1 .\n',
      '5.lab.example. 3600 IN TXT "x"',
      'in.lab.example. 3600 IN TXT "x"',
      'mx.lab.example. 3600 IN MX 1 .',
    ],
    [
      'an origin may be relative to the one before',
      '$ORIGIN a\n$ORIGIN b\n@ TXT x\n',
      'b.a.lab.example. 3600 IN TXT "x"',
    ],
    [
      'what is said twice is there once',
      'a TXT x\na TXT x\na NS NS1\na NS ns1\n',
      'a.lab.example. 3600 IN TXT "x"',
      'a.lab.example. 3600 IN NS NS1.lab.example.',
    ],
    [
      'a set of several TTLs has the lowest (RFC 2181 §5.2)',
      'a 60 TXT x\na 30 TXT y\na 90 TXT z\n',
      'a.lab.example. 30 IN TXT "x"',
      'a.lab.example. 30 IN TXT "y"',
      'a.lab.example. 30 IN TXT "z"',
    ],
    ['UTF-8 in a text is octets', 't TXT \u{c3}\u{a4}\n', String.raw`t.lab.example. 3600 IN TXT "\195\164"`],
  ];
  for (const [title, text, ...records] of readings) test(title, () => assert.deepEqual(recordsOf(text), records));
});

describe('a file that is included', () => {
  test('is found beside the one that includes it, and changes neither its origin nor its last owner', () => {
    const records = recordsOf('a A 192.0.2.2\n$INCLUDE parts/b sub\n  TXT x\n', {
      '/z/parts/b': 'b TXT y\n$INCLUDE c\n',
      '/z/parts/c': '$ORIGIN deep\nc TXT z\n',
    });
    assert.deepEqual(records, [
      'a.lab.example. 3600 IN A 192.0.2.2',
      'a.lab.example. 3600 IN TXT "x"',
      'b.sub.lab.example. 3600 IN TXT "y"',
      'c.deep.sub.lab.example. 3600 IN TXT "z"',
    ]);
  });

  test('is told of, so that it can be watched, although it is not there', () => {
    const { files } = readZone({ '/z/zone': '$INCLUDE a\n$INCLUDE /y/b\n', '/z/a': '' });
    assert.deepEqual(files, ['/z/zone', '/z/a', '/y/b']);
  });

  const faulty: readonly (readonly [title: string, files: Readonly<Record<string, string>>, ...faults: string[]])[] = [
    ['is not there', { '/z/zone': `${TOP}$INCLUDE gone\n` }, '/z/zone:5: expected a readable file /z/gone, found none'],
    [
      'includes itself',
      { '/z/zone': `${TOP}$INCLUDE zone\n` },
      '/z/zone:5: expected files that do not include themselves, found zone → zone',
    ],
    [
      'is in a cycle',
      { '/z/zone': `${TOP}$INCLUDE a\n`, '/z/a': '$INCLUDE b\n', '/z/b': '\n$INCLUDE a\n' },
      '/z/b:2: expected files that do not include themselves, found a → b → a',
    ],
    [
      'has a fault',
      { '/z/zone': `${TOP}$INCLUDE a\n`, '/z/a': '\nx A 1\n' },
      '/z/a:2: expected an IPv4 address like 192.0.2.1, found 1',
    ],
    [
      'is too deep',
      {
        '/z/0': '$INCLUDE 1\n',
        ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`/z/${i + 1}`, `$INCLUDE ${i + 2}\n`])),
      },
      '/z/10:1: expected at most 10 files inside each other, found one more',
    ],
    [
      'has more words behind it',
      { '/z/zone': '$INCLUDE a b c\n' },
      '/z/zone:1: expected $INCLUDE, a file, and perhaps an origin, found c',
    ],
  ];
  for (const [title, files, ...faults] of faulty) {
    test(`and ${title} is a fault with its place`, () => assert.deepEqual(faultsOf(files), faults));
  }
});

describe('faults are told with file and line:', () => {
  const faulty: readonly (readonly [text: string, fault: string])[] = [
    ['a A 192.0.2\n', '5: expected an IPv4 address like 192.0.2.1, found 192.0.2'],
    ['a (\nA\n192.0.2 )\n', '7: expected an IPv4 address like 192.0.2.1, found 192.0.2'],
    ['a AAAAA x\n', '5: expected a type like A or MX, found AAAAA'],
    ['a 5\n', '5: expected a type like A or MX, found the end of the record'],
    ['a CH TXT x\n', '5: expected class IN, found CH'],
    ['a 5 CLASS4 TXT x\n', '5: expected class IN, found CLASS4'],
    ['a 5x TXT x\n', '5: expected a TTL in seconds or like 1h30m, at most 2147483647, found 5x'],
    ['a AXFR\n', '5: expected a type of records, found AXFR, which is for messages'],
    [
      'a.example. TXT x\n',
      '5: expected an owner in the zone (is a dot missing, or one too many?), found a name outside it',
    ],
    [
      'xlab.example. TXT x\n',
      '5: expected an owner in the zone (is a dot missing, or one too many?), found a name outside it',
    ],
    ['a SOA ns1 h 1 1 1 1 1\n', '5: expected a SOA at the top of the zone only, found one below'],
    ['@ SOA ns1 h 2 1 1 1 1\n', '5: expected one SOA of lab.example, found another'],
    ['a CNAME b\na TXT x\n', '6: expected nothing beside the CNAME of a.lab.example, found TXT'],
    ['a CNAME b\na CNAME c\n', '6: expected one CNAME of a.lab.example, found another'],
    ['a NS b\n\nb CNAME ns1\n', '5: expected an address of the name server b.lab.example, found a CNAME'],
    ['@ NS b\n', '5: expected an address of the name server b.lab.example, found none'],
    ['* NS ns1\n', '5: expected no NS at a wildcard, found one'],
    ['$FOO\n', '5: expected one of $ORIGIN, $TTL, $INCLUDE, $GENERATE, found $FOO'],
    ['$ORIGIN\n', '5: expected a domain name, found the end of the line'],
    ['$ORIGIN a b\n', '5: expected the end of the line, found b'],
    [`a TYPE65280 \\# 64001 ${'00'.repeat(64_001)}\n`, '5: expected data of at most 64000 octets, found 64001'],
    ['$TTL 2147483648\n', '5: expected a TTL in seconds or like 1h30m, at most 2147483647, found 2147483648'],
    ['$GENERATE 1-2 a$\n', '5: expected $GENERATE, a range, an owner, a type and data, found the end of the line'],
    ['\n$GENERATE 250-300 a$ A 192.0.2.$\n', '6: expected an IPv4 address like 192.0.2.1, found 192.0.2.256'],
    ['$GENERATE 1-2 a$ TXT "\\"x"\n', '5: expected a quote that closes on its line, found the end of the line'],
    ['a TXT (\n', '6: expected a ) for the ( on line 5, found the end of the file'],
  ];
  for (const [text, fault] of faulty) {
    test(JSON.stringify(text), () => assert.deepEqual(faultsOf({ '/z': TOP + text }), [`/z:${fault}`]));
  }

  test('all of a file, in its order', () => {
    assert.deepEqual(faultsOf({ '/z': `${TOP}a A x\nb MX y\nc A 192.0.2.3\nd FOO\n` }), [
      '/z:5: expected an IPv4 address like 192.0.2.1, found x',
      '/z:6: expected the preference, a number up to 65535, found y',
      '/z:8: expected a type like A or MX, found FOO',
    ]);
  });

  test('what is missing at the top', () => {
    assert.deepEqual(faultsOf({ '/z': '' }), [
      '/z:1: expected a SOA record of lab.example, found none',
      '/z:1: expected an NS record of lab.example, found none',
    ]);
  });

  test('the first record has an owner and a TTL', () => {
    assert.deepEqual(faultsOf({ '/z': ' 5 TXT x\na TXT x\n' }), [
      '/z:1: expected an owner, as no record is above, found a blank',
      '/z:2: expected a TTL, as there is no $TTL and no record above, found none',
    ]);
  });

  test('a hundred at most: more are those of one slip of the pen', () => {
    const zone = readZone({ '/z': TOP + 'a A x\n'.repeat(1_000_000) });
    assert.equal(zone.faults.length, 100);
    assert.equal(zone.records, undefined);
  });
});

test('what is served but hardly meant is a warning', () => {
  const text =
    'm CNAME ns1\n@ MX 1 m\n@ MX 2 gone\n_s SRV 1 1 1 m\nsub NS ns.sub\na 1 TXT x\na 2 TXT y\nsub2 NS ns.sub\n';
  const { warnings, records } = readZone({ '/z': TOP + text });
  assert.deepEqual(warnings.map(formatProblem).toSorted(), [
    '/z:11: the TXT records of this name have several TTLs: all get the lowest',
    '/z:6: the MX of lab.example names m.lab.example, which is a CNAME',
    '/z:7: the MX of lab.example names gone.lab.example, which has no address',
    '/z:8: the SRV of _s.lab.example names m.lab.example, which is a CNAME',
    '/z:9: nobody finds sub.lab.example: its name server ns.sub.lab.example needs an address here (glue)',
  ]);
  assert.ok(records);
});

test('more records than there is room for are refused', () => {
  const lines = Array.from({ length: 8 }, (_, n) => `$GENERATE 1-65000 n$x${n} A 192.0.2.1\n`);
  const { faults, records } = readZone({ '/z': TOP + lines.join('') });
  assert.equal(records, undefined);
  assert.match(faults[0]?.text ?? '', /expected at most 500000 records, found more$/);
});

test('a set that fits into no answer is refused, and so are more types at a name than a question can go through', () => {
  const large = Array.from({ length: 4001 }, (_, n) => `big A 10.0.${n >>> 8}.${n & 255}\n`);
  const types = Array.from({ length: 257 }, (_, n) => `a TYPE${1000 + n} \\# 0\n`);
  assert.deepEqual(readZone({ '/z': TOP + large.slice(1).join('') + types.slice(1).join('') }).faults, []);
  const { faults, records } = readZone({ '/z': TOP + large.join('') + types.join('') });
  assert.equal(records, undefined);
  assert.deepEqual(faults.map(formatProblem), [
    '/z:4005: expected at most 64000 octets of A records at a name, found more',
    '/z:4262: expected at most 256 types at a name, found more',
  ]);
});

test('ninety thousand records are read, and a set of three thousand beside them', () => {
  const hosts = Array.from({ length: 90_000 }, (_, i) => `host${i} A 10.${i >>> 16}.${(i >>> 8) & 255}.${i & 255}\n`);
  const { records = [] } = readZone({ '/z': `${TOP}${hosts.join('')}$GENERATE 1-3000 all TXT $\n` });
  assert.equal(records.length, 93_003);
});

test('any text is a zone or faults', () => {
  const whole = ZONE_FILES.map((file) => Buffer.from(readLatin1(join(ZONES, file)).slice(0, 2000), 'latin1'));
  let loaded = 0;
  fuzz({
    seeds: whole,
    rounds: Math.ceil(Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 200_000) / 10),
    run(bytes) {
      const text = Buffer.from(bytes).toString('latin1');
      // One file more for what may be included
      const { records, faults } = readMasterFile('lab.example', '/z', (path) => {
        if (path === '/z') return text;
        throw new WireError('no such file');
      });
      assert.equal(records === undefined, faults.length > 0);
      if (!records) return;
      loaded++;
      const again = readMasterFile('lab.example', '/z', () => [...formatZone(records)].join('\n'));
      assert.deepEqual(again.records, records);
    },
  });
  assert.ok(loaded > 0);
});
