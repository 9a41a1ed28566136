import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { compilePlan } from '../../src/plan/compile-plan.ts';
import { formatFault } from '../../src/plan/fault.ts';
import { keysAt } from '../../src/plan/schema.ts';
import { compile, ip, rackA1 } from './rack-a1.ts';

const EXAMPLE = readFileSync(new URL('../../etc/rackboot.yaml', import.meta.url), 'utf8');

describe('etc/rackboot.yaml', () => {
  test('is without fault on the machine it is written for', () => {
    const { plan, faults } = compile(EXAMPLE);
    assert.deepEqual(faults.map(formatFault), []);
    assert.equal(plan?.subnets[0]?.rackAddress, ip('192.168.127.100'));
    assert.deepEqual(
      plan.hosts.map((host) => [host.name, host.boot]),
      [
        ['node1', 'debian'],
        ['node2', 'local'],
        ['node3', 'local'],
      ],
    );
  });

  test('shows every key there is', () => {
    const mappings = [
      [],
      ['rack'],
      ['region'],
      ['region', 'outbox'],
      ['subnets', 0],
      ['hosts', 0],
      ['hosts', 0, 'quirks'],
      ['classes', 0],
      ['classes', 0, 'match'],
      ['boot'],
      ['boot', 'entries', 'x'],
      ['boot', 'loaders'],
      ['boot', 'loop'],
      ['images'],
      ['images', 'sources', 0],
      ['images', 'sources', 0, 'selections', 0],
    ];
    const dns = [
      ['dns'],
      ['dns', 'zones', 0],
      ['dns', 'names', 0],
      ['dns', 'keys', 0],
      ['dns', 'routes', 0],
      ['dns', 'cache'],
      ['dns', 'rate-limit'],
    ];
    const keys = [...mappings, ['http'], ['http', 'tls'], ['tftp'], ...dns, ['admin'], ['log']].flatMap((path) =>
      keysAt(path),
    );
    const absent = keys.filter((key) => !new RegExp(`^[ #-]*({ )?${key}:`, 'm').test(EXAMPLE));
    assert.deepEqual(absent, []);
  });
});

/** Whatever is done to the text, the answer is a Plan, faults, or both. The seed is fixed: a failure can be repeated. */
test('5,000 mutations of the example never throw', () => {
  const random = seeded(20_261_122);
  const plain = EXAMPLE.replaceAll(/ *(#.*)?$/gm, '').replaceAll(/\n+/g, '\n');
  let planned = 0;
  for (let i = 0; i < 5_000; i++) {
    const text = mutate(plain, random);
    const { plan, faults } = compilePlan(text, 'f', rackA1);
    if (plan) planned++;
    const isAnswer = plan
      ? faults.every((fault) => fault.scope === 'entry')
      : faults.some((fault) => fault.scope === 'plan');
    const isPlaced = faults.every((fault) => fault.line > 0 && fault.column > 0 && !formatFault(fault).includes('\n'));
    assert.ok(isAnswer && isPlaced, `mutation ${i}: ${JSON.stringify(text)}`);
  }
  assert.ok(planned > 125 && planned < 4_875, `${planned} Plans: the mutations are too mild or too wild`);
});

type Random = (below: number) => number;

/** mulberry32: small, and good enough to shake a parser. */
function seeded(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const PIECES =
  ': |- |[|]|{|}|"|\'|&a |*a|!x |? |# |\n|\t|  |,|\0|\u2028|é|%|@|`|0|255|.|/|..|-|null|true|1e9|__proto__|---\n|<<: '.split(
    '|',
  );

function mutate(text: string, random: Random): string {
  let mutated = text;
  for (let changes = random(3); changes >= 0; changes--) {
    const from = random(mutated.length + 1);
    const to = from + random(random(4) === 0 ? 60 : 3);
    const pick = random(mutated.length + 1);
    const patch = random(3) === 0 ? mutated.slice(pick, pick + random(40)) : (PIECES[random(PIECES.length)] ?? '');
    mutated = mutated.slice(0, from) + (random(4) === 0 ? '' : patch) + mutated.slice(to);
  }
  return mutated;
}
