import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigDocument } from '../../src/plan/config-document.ts';

const TEXT = `# a rack
rack:
  name: rack-a1
  state:
hosts:
  - name: node1
    mac: [52:54:00:12:34:56, 525400123457]
  - {name: "node2", boot: true}
empty: []
`;

const document = new ConfigDocument(TEXT);

describe('a value is found where it stands', () => {
  const places = [
    [['rack', 'name'], 'value', '3:9', 'rack-a1'],
    [['rack', 'name'], 'key', '3:3', 'rack-a1'],
    [['rack', 'state'], 'value', '4:3', 'nothing'],
    [['rack', 'control'], 'value', '2:1', 'nothing'],
    [['hosts'], 'key', '5:1', 'a list'],
    [['hosts', 0], 'value', '6:5', 'a mapping'],
    [['hosts', 0, 'address'], 'value', '6:5', 'nothing'],
    [['hosts', 0, 'mac', 1], 'value', '7:30', '525400123457'],
    [['hosts', 1, 'name'], 'value', '8:12', '"node2"'],
    [['hosts', 1, 'boot'], 'value', '8:27', 'true'],
    [['hosts', 9, 'mac'], 'value', '5:1', 'nothing'],
    [['empty'], 'value', '9:8', 'an empty list'],
    [['absent'], 'value', '2:1', 'nothing'],
  ] as const;
  for (const [path, at, place, shown] of places) {
    test(`${path.join('.')} (${at})`, () => {
      const { line, column } = document.locate(path, at);
      assert.equal(`${line}:${column}`, place);
      assert.equal(document.describe(path), shown);
    });
  }
});

test('the value is plain data, and an unquoted MAC is text', () => {
  assert.deepEqual(document.value, {
    rack: { name: 'rack-a1', state: null },
    hosts: [
      { name: 'node1', mac: ['52:54:00:12:34:56', 525_400_123_457] },
      { name: 'node2', boot: true },
    ],
    empty: [],
  });
  assert.deepEqual(document.faults, []);
  assert.equal(document.brokenAt, undefined);
});

test('bare words that YAML takes for something other than text are known', () => {
  assert.equal(document.bareKind(['hosts', 0, 'mac', 1]), 'number');
  assert.equal(document.bareKind(['hosts', 1, 'boot']), 'truth value');
  assert.equal(document.bareKind(['rack', 'name']), undefined);
  assert.equal(document.bareKind(['rack', 'absent']), undefined);
});

test('a %YAML 1.1 line does not bring sexagesimal numbers or yes and no back', () => {
  const old = new ConfigDocument('%YAML 1.1\n---\nmac: 12:34:56\nname: yes\n');
  assert.deepEqual(old.value, { mac: '12:34:56', name: 'yes' });
});

test('an alias stands for what its anchor held, and its parts have a place', () => {
  const aliased = new ConfigDocument('a: &x {b: 1}\nc: *x\n');
  assert.deepEqual(aliased.value, { a: { b: 1 }, c: { b: 1 } });
  assert.deepEqual(aliased.locate(['c', 'b']), { line: 1, column: 11, path: ['c', 'b'] });
});

test('aliases of aliases cost no more than their own length', () => {
  const levels = Array.from({ length: 25 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`);
  const bomb = new ConfigDocument(`a0: &a0 [x]\n${levels.join('\n')}\n`);
  assert.deepEqual(bomb.faults, []);
});

test('keys that JavaScript has its own idea of are refused, or plain', () => {
  const odd = new ConfigDocument('__proto__: {polluted: 1}\nconstructor: 5\n');
  assert.deepEqual(odd.value, { constructor: 5 });
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
  assert.deepEqual(
    odd.faults.map((fault) => fault.found),
    ['__proto__'],
  );
});

describe('what is not YAML is said once a line', () => {
  const broken = [
    ['a: "x\n', '2:1 expected valid YAML, found this: Missing closing "quote'],
    ['a: b: c\n', '1:4 expected valid YAML, found this: Nested mappings are not allowed in compact mappings'],
    ['a:\n\t- b\n', '2:1 expected blanks as indentation, found a tab'],
    ['a: 1\n---\nb: 2\n', '2:1 expected one YAML document, found the start of another'],
    ['a: !secret x\n', '1:4 expected a value without a tag, found the tag !secret'],
    ['a: !!binary aGk=\n', '1:4 expected a value without a tag, found the tag tag:yaml.org,2002:binary'],
    ['a: *x\n', '1:4 expected the name of an anchor set before it, found *x'],
    ['a: &x [*x]\n', '1:8 expected the name of an anchor set before it, found *x'],
    ['a: 1\nb: 2\na: 3\n', '3:1 expected each key once (it is on line 1), found it again'],
    ['? [a]\n: 1\n', '1:3 expected a plain word as key, found something else'],
    [': 1\n', '1:1 expected a plain word as key, found something else'],
    [`a: ${'['.repeat(40)}${']'.repeat(40)}\n`, '1:36 expected at most 32 levels, found more'],
  ] as const;
  for (const [text, line] of broken) {
    test(JSON.stringify(text.slice(0, 24)), () => {
      const lines = new ConfigDocument(text).faults.map(
        ({ position, expected, found }) => `${position.line}:${position.column} expected ${expected}, found ${found}`,
      );
      assert.deepEqual(lines, [line]);
    });
  }
});

test('text nested without end is refused, not a crash', () => {
  for (const piece of ['[', '{a: ', '- ', '? ', '&a [']) {
    assert.notDeepEqual(new ConfigDocument(piece.repeat(5000)).faults, [], piece);
  }
});
