import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';

import { formatCidr } from '../../src/addr/cidr.ts';
import type { PlanAnswer } from '../../src/contract/rack-words.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { PlanSource } from '../../src/rack/plan-source.ts';

const directory = mkdtempSync(join(tmpdir(), 'rackboot-source-'));
after(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'rackboot.yaml');
const source = new PlanSource(file);

test('a file that is not there is one fault, not an error', () => {
  const attempt = source.compile(5);
  assert.equal(attempt.at, 5);
  assert.equal(attempt.plan, undefined);
  assert.equal(attempt.faults.length, 1);
  assert.match(attempt.faults[0] ?? '', /^\S+rackboot\.yaml: can't be read: ENOENT/);
});

test('the file is read anew each time', () => {
  const subnet = '{ cidr: 192.0.2.0/24, management: none }';
  writeFileSync(file, `rack: { name: one }\nboot: { files: ${directory} }\nsubnets: [${subnet}]\n`);
  const first = source.compile(1);
  assert.equal(first.plan?.rack.name, 'one', first.faults.join('\n'));
  writeFileSync(file, 'rack: { name: [\n');
  const second = source.compile(2);
  assert.equal(second.plan, undefined);
  assert.ok(second.faults.length > 0);
  for (const fault of second.faults) assert.match(fault, /rackboot\.yaml:\d+:\d+/);
});

test('zone files are looked for beside the file, also when the text that was kept stands in for it', () => {
  const state = join(directory, 'state');
  mkdirSync(state);
  const subnet = '{ cidr: 192.0.2.0/24, management: none }';
  const zones = 'dns: { zones: [{ name: lab.example, file: zones/lab }] }';
  writeFileSync(file, `rack: { name: one, state: ${state} }\nsubnets: [${subnet}]\n${zones}\n`);
  const attempt = source.compile(1);
  assert.equal(attempt.plan?.dns.zones[0]?.file, join(directory, 'zones', 'lab'), attempt.faults.join('\n'));
  source.keep(attempt);
  writeFileSync(file, `rack: { name: one, state: ${state} }\nsubnets: none\n`);
  assert.equal(source.compile(2).plan, undefined);
  assert.equal(source.compileStandIn(2)?.plan?.dns.zones[0]?.file, join(directory, 'zones', 'lab'));
});

/** A rack of its own that follows a region. */
function followed(name: string, more = ''): string {
  const state = join(directory, name);
  mkdirSync(join(state, 'files'), { recursive: true });
  write(state, more);
  return state;
}

function write(state: string, more: string): void {
  writeFileSync(file, `rack: { name: one, state: ${state} }\nregion: { url: 'https://region.example' }\n${more}`);
}

function answerOf(version: number, config: Record<string, unknown>): PlanAnswer {
  return { version, config, orders: {} };
}

const SUBNET = { cidr: '192.0.2.0/24', management: 'dhcp', dynamic: '192.0.2.100-192.0.2.199' };
const NONE = parsePlan(join(directory, 'none.yaml'));

/** Any Plan, for one that is in force. */
function parsePlan(path: string): Plan {
  writeFileSync(path, `rack: { name: one, state: ${directory} }\nregion: { url: 'https://region.example' }\n`);
  return new PlanSource(path).compile(0).plan ?? assert.fail();
}

function cidrs(plan: Plan | undefined): string[] | undefined {
  return plan?.subnets.map(({ cidr }) => formatCidr(cidr));
}

/** Takes an answer as a rack does. */
function take(from: PlanSource, answer: PlanAnswer): void {
  const { objections, ...attempt } = from.weigh(1, NONE, answer);
  assert.deepEqual(objections, []);
  from.keep(attempt);
}

test('what the region said is kept with the Plan it is in, and used by the next start', () => {
  const state = followed('followed');
  const first = new PlanSource(file);
  assert.equal(first.compile(1).plan?.subnets.length, 0);
  const answer = answerOf(7, { subnets: [SUBNET] });
  const attempt = first.weigh(2, NONE, answer);
  assert.deepEqual([attempt.plan?.subnets.length, attempt.objections], [1, []]);
  assert.equal(first.compile(3).plan?.subnets.length, 0, 'it is not kept yet');
  first.keep(attempt);
  assert.equal(first.compile(4).plan?.subnets.length, 1);
  const next = new PlanSource(file).compile(5);
  assert.deepEqual([next.plan?.subnets.length, next.answer], [1, answer]);
  assert.equal(statSync(join(state, 'region-plan.json')).mode & 0o777, 0o600);
});

test('a file that follows no region takes nothing of what one said before, and no new answer', () => {
  const state = followed('left');
  const left = new PlanSource(file);
  take(left, answerOf(7, { subnets: [SUBNET] }));
  writeFileSync(file, `rack: { name: one, state: ${state} }\nsubnets: [{ cidr: 10.0.0.0/8, management: none }]\n`);
  for (const each of [left, new PlanSource(file)]) {
    const { plan, answer } = each.compile(1);
    assert.deepEqual([plan?.subnets.length, answer], [1, undefined]);
    const { objections } = each.weigh(2, NONE, answerOf(8, {}));
    assert.deepEqual(objections, ['this rack follows no region any more']);
  }
  write(state, '');
  assert.equal(left.compile(3).answer?.version, 7);
});

describe('what the region said that is no answer', () => {
  const texts: readonly (readonly [what: string, text: string])[] = [
    ['cut short', '{"version": 7, "config": '],
    ['empty', ''],
    ['of another shape', '[]'],
    ['without a version', '{"config": {}, "orders": {}}'],
    ['with a config that is none', '{"version": 7, "config": [], "orders": {}}'],
  ];
  for (const [what, text] of texts) {
    test(`${what} is put aside and said once, and the file alone serves`, () => {
      const state = followed(`spoilt-${what.replaceAll(' ', '-')}`);
      const path = join(state, 'region-plan.json');
      writeFileSync(path, text);
      const spoilt = new PlanSource(file);
      const { plan, lost } = spoilt.compile(1);
      assert.match(lost ?? '', /^\S+region-plan\.json: /);
      assert.equal(plan?.subnets.length, 0);
      assert.deepEqual([existsSync(path), readFileSync(`${path}.unreadable`, 'utf8')], [false, text]);
      assert.equal(spoilt.compile(2).lost, undefined);
      take(spoilt, answerOf(8, {}));
      assert.equal(new PlanSource(file).compile(3).answer?.version, 8);
    });
  }
});

test('what the region said that can’t be read now is left where it is, and read when it can', () => {
  const state = followed('hidden');
  const path = join(state, 'region-plan.json');
  mkdirSync(path);
  const hidden = new PlanSource(file);
  assert.match(hidden.compile(1).lost ?? '', /EISDIR/);
  assert.equal(hidden.compile(2).plan?.subnets.length, 0);
  rmdirSync(path);
  writeFileSync(path, JSON.stringify(answerOf(7, { subnets: [SUBNET] })));
  const { plan, lost } = hidden.compile(3);
  assert.deepEqual([plan?.subnets.length, lost], [1, undefined]);
});

test('an answer that a full disk did not take is written when there is room', () => {
  const state = followed('full');
  const path = join(state, 'region-plan.json');
  mkdirSync(path);
  const full = new PlanSource(file);
  const attempt = full.weigh(1, NONE, answerOf(7, { subnets: [SUBNET] }));
  assert.throws(() => full.keep(attempt), /EISDIR|ENOTEMPTY|EEXIST/);
  const next = full.compile(2);
  assert.equal(next.plan?.subnets.length, 1, 'it is in force');
  rmdirSync(path);
  full.keep(next);
  assert.equal(new PlanSource(file).compile(3).plan?.subnets.length, 1);
});

describe('what speaks against an answer', () => {
  const table: readonly (readonly [
    what: string,
    more: string,
    config: Record<string, unknown>,
    objections: RegExp[],
  ])[] = [
    ['nothing', '', { subnets: [SUBNET] }, []],
    [
      'an entry of its own, though the rest could be served',
      '',
      { subnets: [SUBNET], hosts: [{ name: 'a', mac: '52:54:00:00:00:01', address: '10.0.0.1' }] },
      [/^region plan 7: hosts\[0\]\.address: expected an address inside 192\.0\.2\.0\/24, found 10\.0\.0\.1$/],
    ],
    [
      'what it makes of a part of the file',
      `subnets: [${JSON.stringify(SUBNET)}]\n`,
      { subnets: [{ cidr: '192.0.2.0/24', router: '192.0.2.100' }] },
      [/rackboot\.yaml:3:\d+: subnets\[0\]\.dynamic: expected a range without the router 192\.0\.2\.100, found /],
    ],
    [
      'a host of the file that it takes out of service',
      `subnets: [${JSON.stringify(SUBNET)}]\nhosts: [{ name: a, mac: "52:54:00:00:00:01", address: 192.0.2.9 }]\n`,
      { subnets: [{ cidr: '192.0.2.0/24', router: '192.0.2.9' }] },
      [/rackboot\.yaml:4:\d+: hosts\[0\]\.address: expected an address other than the router 192\.0\.2\.9, found /],
    ],
    [
      'no fault that the file had before',
      `subnets: [${JSON.stringify(SUBNET)}]\nhosts: [{ name: a, mac: "52:54:00:00:00:01", address: 10.0.0.1 }]\n`,
      { subnets: [{ cidr: '192.0.2.0/24', router: '192.0.2.9' }] },
      [],
    ],
    [
      'what is wrong with a file that has no Plan without it either',
      'subnets: none\n',
      { hosts: [] },
      [/rackboot\.yaml:3:10: subnets: expected a list of subnets, found none$/],
    ],
    [
      'no image that is not here yet, and no loader',
      '',
      { boot: { entries: { noble: { image: 'ubuntu/noble' } } } },
      [],
    ],
  ];
  for (const [i, [what, more, config, objections]] of table.entries()) {
    test(what, () => {
      followed(`weighed-${i}`, more);
      const weighed = new PlanSource(file).weigh(1, NONE, answerOf(7, config));
      assert.equal(weighed.objections.length, objections.length, weighed.objections.join('\n'));
      for (const [at, objection] of objections.entries()) assert.match(weighed.objections[at] ?? '', objection);
    });
  }

  test('is told in a hundred sentences at most', () => {
    followed('talkative');
    const hosts = Array.from({ length: 10_000 }, (_, i) => ({ name: `n${i}`, mac: 'x' }));
    const { objections } = new PlanSource(file).weigh(1, NONE, answerOf(7, { hosts }));
    assert.deepEqual([objections.length, objections.at(-1)], [100, 'and 9901 more']);
  });
});

describe('what stands in at a start', () => {
  const OWN = `subnets: [{ cidr: 10.0.0.0/8, management: none }]\n`;
  const KEPT = answerOf(7, { subnets: [SUBNET] });
  /** Of a rack that had OWN and KEPT in force and was stopped. */
  const stopped = (name: string): string => {
    const state = followed(name, OWN);
    take(new PlanSource(file), KEPT);
    return state;
  };

  test('for a broken file is the one before, with what the region said', () => {
    write(stopped('start-1'), 'subnets: [\n');
    const next = new PlanSource(file);
    assert.equal(next.compile(1).plan, undefined);
    const { plan, answer } = next.compileStandIn(1) ?? assert.fail();
    assert.deepEqual([cidrs(plan), answer], [['10.0.0.0/8', '192.0.2.0/24'], KEPT]);
  });

  test('for a file that no longer goes with what the region said is the one before as well', () => {
    write(stopped('start-2'), 'subnets: [{ cidr: 192.0.2.0/25, management: none }]\n');
    const next = new PlanSource(file);
    assert.equal(next.compile(1).plan, undefined);
    assert.deepEqual(cidrs(next.compileStandIn(1)?.plan), ['10.0.0.0/8', '192.0.2.0/24']);
  });

  test('is the file alone where what the region said goes with neither', () => {
    const state = stopped('start-3');
    const other = { ...KEPT, config: { subnets: [{ ...SUBNET, cidr: '10.0.0.0/9' }] } };
    writeFileSync(join(state, 'region-plan.json'), JSON.stringify(other));
    const next = new PlanSource(file);
    const { plan, answer } = next.compile(1);
    assert.deepEqual([plan, answer], [undefined, other]);
    const standIn = next.compileStandIn(1);
    assert.deepEqual([cidrs(standIn?.plan), standIn?.answer], [['10.0.0.0/8'], undefined]);
  });

  test('is the file before alone where the file is broken as well', () => {
    const state = stopped('start-4');
    writeFileSync(join(state, 'region-plan.json'), JSON.stringify({ ...KEPT, config: { subnets: 'none' } }));
    write(state, 'subnets: [\n');
    assert.deepEqual(cidrs(new PlanSource(file).compileStandIn(1)?.plan), ['10.0.0.0/8']);
  });

  test('is nothing where no file was ever good', () => {
    followed('start-5', 'subnets: [\n');
    assert.equal(new PlanSource(file).compileStandIn(1), undefined);
  });
});
