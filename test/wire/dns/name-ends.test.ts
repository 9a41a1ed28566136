import assert from 'node:assert/strict';
import { test } from 'node:test';

import { expandName, type ExpandedName, type NameEnds } from '../../../src/wire/dns/compressed-name.ts';
import { WireError } from '../../../src/wire/wire-error.ts';
import { fuzz } from '../fuzz.ts';

/** "b.a", "c" and a pointer to "a", a pointer to that, a pointer to the pointer, and a name that is cut off. */
const NAMES = Buffer.from([1, 98, 1, 97, 0, 1, 99, 0xc0, 2, 0xc0, 5, 0xc0, 9, 0xc0, 11, 2, 120]);

function outcome(read: () => ExpandedName): ExpandedName | 'refused' {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return 'refused';
    throw error;
  }
}

/** Each name is asked for twice: as it is read, and as it is known. */
function compare(bytes: Uint8Array, offsets: Iterable<number>): void {
  const ends: NameEnds = new Map();
  for (const at of offsets) {
    const wanted = outcome(() => expandName(bytes, at));
    assert.deepEqual(
      [outcome(() => expandName(bytes, at, ends)), outcome(() => expandName(bytes, at, ends))],
      [wanted, wanted],
    );
  }
}

test('a name is the same whether its end was read before or not', () => {
  compare(NAMES, NAMES.keys());
  compare(NAMES, [...NAMES.keys()].toReversed());
  assert.deepEqual(expandName(NAMES, 13, new Map()), { name: '\u0001c\u0001a\0', end: 15 });
});

test('a name that is too long by what it points at is refused, known or not', () => {
  const label = Buffer.concat([Buffer.from([63]), Buffer.alloc(63, 'a')]);
  const bytes = Buffer.concat([label, label, label, Buffer.from([0]), label, Buffer.from([0xc0, 0])]);
  compare(bytes, [0, 193, 193]);
  assert.equal(
    outcome(() => expandName(bytes, 193, new Map())),
    'refused',
  );
});

test('a chain of thousands of pointers is followed once', () => {
  const chain = Buffer.alloc(16_384);
  for (let at = 2; at < chain.length; at += 2) chain.writeUInt16BE(0xc000 | (at - 2), at);
  const ends: NameEnds = new Map();
  for (let at = chain.length - 2; at > 0; at -= 2)
    assert.deepEqual(expandName(chain, at, ends), { name: '\0', end: at + 2 });
});

test('any bytes hold the names that are read one by one', () => {
  fuzz({
    seeds: [NAMES, Buffer.concat([NAMES, NAMES, NAMES])],
    rounds: Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 20_000),
    run: (bytes) => compare(bytes, bytes.subarray(0, 64).keys()),
  });
});
