import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultLines, planOf, SUBNET } from './rack-a1.ts';

test('how much of what happened is kept comes into the Plan, a month and 64 MiB of it where nothing is written', () => {
  assert.deepEqual(planOf(SUBNET).timeline, { ageSeconds: 30 * 86_400, bytes: 64 * 2 ** 20 });
  const written = planOf(`${SUBNET}timeline: { age: 1h, size: 4GiB }\n`).timeline;
  assert.deepEqual(written, { ageSeconds: 3600, bytes: 4 * 2 ** 30 });
});

const FAULTS: readonly (readonly [string, string])[] = [
  ['age: 59m', 'age: expected a time from 1h to 365d, written like 12h, 30d or 90d, found 59m'],
  ['age: 366d', 'age: expected a time from 1h to 365d, written like 12h, 30d or 90d, found 366d'],
  ['size: 1023KiB', 'size: expected a size from 1MiB to 4GiB, written like 64MiB, found 1023KiB'],
  ['size: 5GiB', 'size: expected a size from 1MiB to 4GiB, written like 64MiB, found 5GiB'],
];
for (const [text, fault] of FAULTS) {
  test(`timeline with ${text} is refused, with what was expected`, () => {
    const [line = '', ...more] = faultLines(`${SUBNET}timeline: { ${text} }\n`);
    assert.ok(line.includes(`timeline.${fault}`), line);
    assert.deepEqual(more, []);
  });
}
