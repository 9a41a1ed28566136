import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { fillTemplate, generateRange } from '../../src/zones/generate-range.ts';

describe('a range', () => {
  const good: readonly (readonly [text: string, numbers: readonly number[]])[] = [
    ['1-3', [1, 2, 3]],
    ['0-0', [0]],
    ['0-5/2', [0, 2, 4]],
    ['2147483646-2147483647', [2_147_483_646, 2_147_483_647]],
  ];
  for (const [text, numbers] of good) test(text, () => assert.deepEqual(generateRange(text), numbers));

  test('has at most as many numbers as a /16 has addresses', () => {
    assert.equal(generateRange('0-65535').length, 65_536);
    assert.equal(generateRange('0-2147483647/65536').length, 32_768);
    assert.throws(() => generateRange('0-65536'), {
      message: 'expected a range of at most 65536 numbers, found one of 65537',
    });
  });

  for (const text of ['3-1', '1', '1-', '-1-3', '1-3/0', 'a-b', '1-2147483648', '1-3/2/1', '']) {
    test(`is not "${text}"`, () => assert.throws(() => generateRange(text), /expected a range like 1-10/));
  }
});

describe('in a template', () => {
  const filled: readonly (readonly [template: string, number: number, text: string])[] = [
    ['host$', 7, 'host7'],
    ['$.$', 7, '7.7'],
    ['no place', 7, 'no place'],
    ['a$$b', 7, 'a$b'],
    [String.raw`a\$b`, 7, 'a$b'],
    ['${0}', 7, '7'],
    ['${-3}', 7, '4'],
    ['${10,4}', 7, '0017'],
    ['${0,4,x}', 255, '00ff'],
    ['${0,0,X}', 255, 'FF'],
    ['${0,3,o}', 8, '010'],
    ['${0,0,n}', 18, '2.1'],
    // As BIND writes them
    ['${0,1,n}', 18, '2.1'],
    ['${0,3,n}', 18, '2.1'],
    ['${0,4,n}', 18, '2.1.'],
    ['${0,7,n}', 18, '2.1.0.0'],
    ['${0,8,n}', 18, '2.1.0.0.'],
    ['${0,9,N}', 171, 'B.A.0.0.0'],
  ];
  for (const [template, number, text] of filled) {
    test(`${template} of ${number} is ${text}`, () => assert.equal(fillTemplate(template, number), text));
  }

  for (const template of ['${', '${}', '${1,2,z}', '${1,999}', '${-8}', '${1,2,d,4}', '${x}']) {
    // A brace that does not close is text behind a number
    if (template === '${') test('${ is a number and a brace', () => assert.equal(fillTemplate(template, 7), '7{'));
    else test(`${template} is refused`, () => assert.throws(() => fillTemplate(template, 7), { name: 'TextError' }));
  }
});
