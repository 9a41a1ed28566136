import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { summarize } from '../../src/dns/reply-summary.ts';

const QUESTION = '016104746573740000ff0001';

/** A reply with the question `a.test ANY` and one answer at that name. */
function reply(type: number, data: string, { rcode = 0, answers = 1 } = {}): Uint8Array {
  const record = `c00c${hex(type, 2)}0001000000ff${hex(data.length / 2, 2)}${data}`;
  return Buffer.from(`beef818${rcode}0001${hex(answers, 2)}00000000${QUESTION}${record}`, 'hex');
}

describe('a reply in words says', () => {
  for (const [title, bytes, answer] of [
    ['the address', reply(1, 'c0000201'), '192.0.2.1'],
    ['the name, whole', reply(12, '0162c00c'), 'b.a.test.'],
    ['the text, escaped', reply(16, '0441220a42'), '"A\\"\\010B"'],
    ['that the name is not there', reply(1, 'c0000201', { rcode: 3 }), 'NXDOMAIN'],
    ['that the type is not there', reply(1, '', { answers: 0 }), 'NODATA'],
    ['a DNSKEY of another protocol', reply(48, '0100020801020304'), '256 2 8 AQIDBA=='],
    ['the octets of what is no CAA', reply(257, '00'), '\\# 1 00'],
    ['the octets of what is no DS', reply(43, '0001'), '\\# 2 0001'],
    ['that a name leads nowhere', reply(5, 'c0ff'), 'records that can not be read'],
  ] as const) {
    test(title, () => {
      assert.deepEqual(summarize(bytes), { name: 'a.test', type: 'ANY', answer });
    });
  }

  test('no more than a line, of data that are long', () => {
    const { answer } = summarize(reply(16, `ff${'41'.repeat(255)}`.repeat(20)));
    assert.equal(answer.length, 201);
  });
});

function hex(value: number, bytes: number): string {
  return value.toString(16).padStart(2 * bytes, '0');
}
