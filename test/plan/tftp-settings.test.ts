import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultLines, planOf, SUBNET } from './rack-a1.ts';

describe('the section tftp', () => {
  test('comes into the Plan as it is written, and what is left out keeps its default', () => {
    const standard = { blockSize: 1468, window: 64, transfers: 4000, perClient: 1000, singlePort: false };
    const cases: readonly (readonly [string, object])[] = [
      ['{}', standard],
      ['{ block-size: 8968, window: 1 }', { ...standard, blockSize: 8968, window: 1 }],
      ['{ transfers: 1, per-client: 20000 }', { ...standard, transfers: 1, perClient: 20_000 }],
      ['{ single-port: true }', { ...standard, singlePort: true }],
    ];
    for (const [text, expected] of cases) assert.deepEqual(planOf(`${SUBNET}tftp: ${text}\n`).tftp, expected, text);
  });

  const FAULTS: readonly (readonly [string, string])[] = [
    ['block-size: 511', 'block-size: expected a whole number from 512 to 8968, found 511'],
    ['block-size: 8969', 'block-size: expected a whole number from 512 to 8968, found 8969'],
    ['block-size: 1428.5', 'block-size: expected a whole number from 512 to 8968, found 1428.5'],
    ['window: 0', 'window: expected a whole number from 1 to 64, found 0'],
    ['window: 65', 'window: expected a whole number from 1 to 64, found 65'],
    ['transfers: many', 'transfers: expected a whole number from 1 to 20000, found many'],
    ['per-client: 0', 'per-client: expected a whole number from 1 to 20000, found 0'],
    ['single-port: 1', 'single-port: expected true or false, found 1'],
  ];
  for (const [text, fault] of FAULTS) {
    test(`${text} is refused, with what was expected`, () => {
      const [line = '', ...more] = faultLines(`${SUBNET}tftp: { ${text} }\n`);
      assert.ok(line.includes(`tftp.${fault}`), line);
      assert.deepEqual(more, []);
    });
  }

  test('a key that does not exist is refused', () => {
    const [line = ''] = faultLines(`${SUBNET}tftp: { windowsize: 4 }\n`);
    assert.match(
      line,
      /tftp\.windowsize: expected one of block-size, window, transfers, per-client, single-port, found windowsize/,
    );
  });

  test('one fault hides none of its neighbours, nor those of other sections', () => {
    const lines = faultLines(`${SUBNET}tftp: { window: 0, transfers: 0 }\nhttp: { port: 0 }\n`);
    assert.deepEqual(
      lines.map((line) => /: (\S+): expected/.exec(line)?.[1]),
      ['tftp.window', 'tftp.transfers', 'http.port'],
    );
  });
});
