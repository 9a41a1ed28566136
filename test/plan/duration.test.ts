import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration } from '../../src/plan/duration.ts';

test('a duration is a number and its unit', () => {
  assert.equal(parseDuration('90s'), 90);
  assert.equal(parseDuration('30m'), 1800);
  assert.equal(parseDuration('12h'), 43_200);
  assert.equal(parseDuration('7d'), 604_800);
  assert.equal(parseDuration('0s'), 0);
});

for (const text of [
  '',
  '12',
  'h',
  '12H',
  '1h30m',
  '-5s',
  '1.5h',
  ' 5s',
  '5 s',
  '5w',
  '9999999999s',
  '٣s',
  '5constructor',
]) {
  test(`'${text}' is no duration`, () => {
    assert.equal(parseDuration(text), undefined);
  });
}
