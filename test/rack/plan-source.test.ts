import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

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
  assert.equal(source.compileKept(2).plan?.dns.zones[0]?.file, join(directory, 'zones', 'lab'));
});
