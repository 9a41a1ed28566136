import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRange } from '../../src/addr/range.ts';
import { compile, faultLines, planOf, SUBNET } from './rack-a1.ts';

const CLASSES = 'classes: [{ name: row-7, match: { circuit-id: port-7 } }, { name: phones, match: { arch: 7 } }]\n';
const RANGES =
  '    router: 192.168.127.254\n    dynamic: 192.168.127.10-192.168.127.19\n    static: 192.168.127.20-192.168.127.29\n';

/** The first pool is on line 9. */
const withPools = (...pools: readonly string[]): string =>
  `${SUBNET}${RANGES}    pools:\n${pools.map((pool) => `      - { ${pool} }\n`).join('')}${CLASSES}`;

test('a pool is a range for the machines of a class, however that is written', () => {
  const plan = planOf(
    withPools(
      'range: 192.168.127.60-192.168.127.69, class: row-7',
      'class: Phones, range: 192.168.127.70-192.168.127.79',
    ),
  );
  assert.deepEqual(plan.subnets[0]?.pools, [
    { range: parseRange('192.168.127.60-192.168.127.69'), class: 'row-7' },
    { range: parseRange('192.168.127.70-192.168.127.79'), class: 'phones' },
  ]);
});

const FAULTY: readonly (readonly [title: string, pools: readonly string[], line: string])[] = [
  [
    'outside its subnet',
    ['range: 10.0.0.1-10.0.0.9, class: row-7'],
    '9:18: subnets[0].pools[0].range: expected a range inside 192.168.127.0/24, found 10.0.0.1-10.0.0.9',
  ],
  [
    'that holds the router',
    ['range: 192.168.127.250-192.168.127.254, class: row-7'],
    '9:18: subnets[0].pools[0].range: expected a range without the router 192.168.127.254, found 192.168.127.250-192.168.127.254',
  ],
  [
    'that meets the dynamic range',
    ['range: 192.168.127.1-192.168.127.10, class: row-7'],
    '9:18: subnets[0].pools[0].range: expected a range apart from the dynamic range 192.168.127.10-192.168.127.19 on line 6, found 192.168.127.1-192.168.127.10',
  ],
  [
    'that meets the static range',
    ['range: 192.168.127.29-192.168.127.30, class: row-7'],
    '9:18: subnets[0].pools[0].range: expected a range apart from the static range 192.168.127.20-192.168.127.29 on line 7, found 192.168.127.29-192.168.127.30',
  ],
  [
    'that meets another',
    ['range: 192.168.127.60-192.168.127.69, class: row-7', 'range: 192.168.127.69-192.168.127.70, class: phones'],
    '10:18: subnets[0].pools[1].range: expected a range apart from the pool 192.168.127.60-192.168.127.69 on line 9, found 192.168.127.69-192.168.127.70',
  ],
  [
    'of a class that is not in the file',
    ['range: 192.168.127.60-192.168.127.69, class: row7'],
    '9:56: subnets[0].pools[0].class: expected one of row-7, phones, found row7 (did you mean `row-7`?)',
  ],
  [
    'without a class',
    ['range: 192.168.127.60-192.168.127.69'],
    '9:9: subnets[0].pools[0].class: expected the name of a class, found nothing',
  ],
];

describe('a pool is refused', () => {
  for (const [title, pools, line] of FAULTY) {
    test(title, () => assert.deepEqual(faultLines(withPools(...pools)), [line]));
  }

  test('where the file has no class', () => {
    assert.deepEqual(faultLines(withPools('range: 192.168.127.60-192.168.127.69, class: x').replace(CLASSES, '')), [
      '9:56: subnets[0].pools[0].class: expected the name of a class (the file has none), found x',
    ]);
  });
});

test('a class with a fault of its own costs its pool nothing more than its machines', () => {
  const text = withPools('range: 192.168.127.60-192.168.127.69, class: row-7').replace('port-7', '[]');
  const { plan, faults } = compile(text);
  assert.deepEqual(
    faults.map(({ path, scope }) => [path, scope]),
    [['classes[0].match.circuit-id', 'entry']],
  );
  assert.equal(plan?.subnets[0]?.pools?.length, 1);
});

test('a host can not have an address in the pool of a class', () => {
  const text = `${withPools('range: 192.168.127.60-192.168.127.69, class: row-7')}hosts:\n  - { name: a, mac: 52:54:00:00:00:01, address: 192.168.127.60 }\n`;
  assert.deepEqual(faultLines(text), [
    '12:49: hosts[0].address: expected an address outside the pool 192.168.127.60-192.168.127.69 of class row-7, found 192.168.127.60',
  ]);
});
