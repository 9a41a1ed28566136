import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { lookAtRegionPart, PlanSource } from '../../src/rack/plan-source.ts';

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
  assert.equal(source.compileKept(2).plan?.dns.zones[0]?.file, join(directory, 'zones', 'lab'));
});

test('what the region said is kept with the Plan it is in, and used by the next start', () => {
  const state = join(directory, 'followed');
  mkdirSync(state);
  writeFileSync(file, `rack: { name: one, state: ${state} }\nregion: { url: 'https://region.example' }\n`);
  const config = { subnets: [{ cidr: '192.0.2.0/24', management: 'none' }] };
  const answer = { version: 7, config, orders: {} };
  const first = new PlanSource(file);
  assert.equal(first.compile(1).plan?.subnets.length, 0);
  const attempt = first.compile(2, undefined, answer);
  assert.deepEqual([attempt.plan?.subnets.length, attempt.faults], [1, []]);
  assert.equal(first.compile(3).plan?.subnets.length, 0, 'it is not kept yet');
  first.keep(attempt);
  const second = new PlanSource(file);
  second.openAnswer(assert.fail);
  assert.equal(second.compile(4).plan?.subnets.length, 1);
  assert.equal(second.compileAlone(5).plan?.subnets.length, 0);
  assert.equal(lookAtRegionPart(file)?.name, 'region plan 7');
});

test("what the region said is put aside when it can't be read, and said", () => {
  const state = join(directory, 'spoilt');
  mkdirSync(state);
  writeFileSync(file, `rack: { name: one, state: ${state} }\nregion: { url: 'https://region.example' }\n`);
  writeFileSync(join(state, 'region-plan.json'), '{"version": 7, "config": ');
  const lost: string[] = [];
  const spoilt = new PlanSource(file);
  spoilt.openAnswer((reason) => lost.push(reason));
  assert.match(lost.join(), /region-plan\.json: .*JSON/);
  assert.equal(spoilt.compile(1).plan?.subnets.length, 0);
  assert.ok(existsSync(join(state, 'region-plan.json.unreadable')));
});

test('an image that a region names and that is not here yet is no reason to refuse what it says', () => {
  const state = join(directory, 'waiting');
  mkdirSync(join(state, 'files'), { recursive: true });
  writeFileSync(file, `rack: { name: one, state: ${state} }\nregion: { url: 'https://region.example' }\n`);
  const config = { boot: { entries: { noble: { image: 'ubuntu/noble' } } } };
  const attempt = new PlanSource(file).compile(1, undefined, { version: 7, config, orders: {} });
  assert.deepEqual([attempt.plan?.boot.entries, attempt.regionFaults], [[], []]);
  assert.match(
    attempt.faults.join('\n'),
    /^region plan 7: boot\.entries\.noble\.image: expected an image that is here/m,
  );
});
