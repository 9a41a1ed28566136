import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  kindOf,
  mayBeForced,
  optionCode,
  optionName,
  OPTION_NAMES,
  whyUnsettable,
} from '../../src/plan/option-table.ts';

test('names and numbers find each other, and no option has two names', () => {
  const codes = OPTION_NAMES.map(optionCode);
  assert.equal(new Set(codes).size, OPTION_NAMES.length);
  for (const [i, name] of OPTION_NAMES.entries()) {
    const code = codes[i] ?? 0;
    assert.equal(optionName(code), name);
    assert.equal(optionCode(String(code)), code);
    assert.ok(kindOf(code));
  }
});

test('no option in the table is one that the server decides', () => {
  for (const name of OPTION_NAMES) assert.equal(whyUnsettable(optionCode(name) ?? 0), undefined, name);
});

for (const word of ['', '0', '255', '256', '042', '4.2', '-1', 'constructor', 'NTP-servers', ' 42']) {
  test(`"${word}" is no option`, () => assert.equal(optionCode(word), undefined));
}

test('an option without a name goes by its number and has no kind', () => {
  assert.deepEqual([optionName(224), kindOf(224), whyUnsettable(224)], ['224', undefined, undefined]);
});

test('what comes from settings may be forced, what is always or never sent may not', () => {
  const forced = [3, 12, 28, 42, 58, 59, 224].map(mayBeForced);
  assert.deepEqual(new Set(forced), new Set([true]));
  assert.deepEqual(new Set([1, 50, 51, 53, 54, 82].map(mayBeForced)), new Set([false]));
});
