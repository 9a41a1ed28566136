import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitOptions } from '../../src/dhcp/fit-options.ts';

const FRAME = 241;

function option(code: number, length: number): { code: number; value: Uint8Array } {
  return { code, value: new Uint8Array(length) };
}

const LEASE = [option(53, 1), option(54, 4), option(51, 4), option(67, 20), option(1, 4), option(15, 30)];
/** With a code and a length byte each. */
const LEASE_SIZE = 3 + 6 + 6 + 22 + 6 + 32;

interface Case {
  readonly title: string;
  readonly options: typeof LEASE;
  readonly room: number;
  readonly codes: readonly number[];
}

const CASES: readonly Case[] = [
  { title: 'what just fits stays whole', options: LEASE, room: LEASE_SIZE, codes: [53, 54, 51, 67, 1, 15] },
  { title: 'one byte less costs the last', options: LEASE, room: LEASE_SIZE - 1, codes: [53, 54, 51, 67, 1] },
  {
    title: 'the mask stays where the loader must go: it belongs to the lease',
    options: LEASE,
    room: 21,
    codes: [53, 54, 51, 1],
  },
  {
    title: "a short option may stay behind a long one that can't",
    options: [option(53, 1), option(67, 200), option(3, 4)],
    room: 100,
    codes: [53, 3],
  },
  {
    title: "the relay's option comes before those that the client asked for",
    options: [...LEASE, option(82, 40)],
    room: 21 + 42,
    codes: [53, 54, 51, 1, 82],
  },
  {
    title: "the relay's option goes whole or not at all",
    options: [...LEASE, option(82, 41)],
    room: 21 + 42,
    codes: [53, 54, 51, 67, 1],
  },
  {
    title: 'an option of 256 bytes goes in two pieces and costs four bytes more',
    options: [option(53, 1), option(82, 256)],
    room: 3 + 259,
    codes: [53],
  },
  {
    title: 'an option without a value costs two bytes',
    options: [option(53, 1), option(80, 0)],
    room: 5,
    codes: [53, 80],
  },
];

for (const { title, options, room, codes } of CASES) {
  test(title, () => {
    const fitting = fitOptions(options, FRAME + room);
    assert.deepEqual(
      fitting.map(({ code }) => code),
      codes,
    );
  });
}
