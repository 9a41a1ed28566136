import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { compileRecords, compileSet, recordsOf, withSerial, withTtl } from '../../../src/wire/dns/record-set.ts';
import { nameKey } from '../../../src/wire/dns/name.ts';
import { parseHex } from '../../fixtures/hex.ts';

const SOA = {
  type: 'SOA',
  data: { mname: 'ns.a', rname: 'h.a', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 },
} as const;
const SOA_NAMES = '02 6e73 01 61 00  01 68 01 61 00';

function soaAfterTtl(serial: string): string {
  return `001f ${SOA_NAMES} ${serial} 00000002 00000003 00000004 00000005`;
}

function text(hex: string): string {
  return Buffer.from(parseHex(hex)).toString('latin1');
}

describe('compiled records', () => {
  test('an address has the question as owner', () => {
    const set = compileRecords(300, { type: 'A', data: '192.0.2.1' });
    const wire = text('c00c 0001 0001 0000012c 0004 c0000201');
    assert.deepEqual(set, { type: 1, count: 1, wire, targets: [] });
  });

  test('several records stand one behind the other', () => {
    const set = compileRecords(1, { type: 'NS', data: 'a' }, { type: 'NS', data: 'bc' });
    const wire = text('c00c 0002 0001 00000001 0003 016100  c00c 0002 0001 00000001 0004 02626300');
    const targets = [
      { key: nameKey('a'), at: 12 },
      { key: nameKey('bc'), at: 27 },
    ];
    assert.deepEqual(set, { type: 2, count: 2, wire, targets });
  });

  test('an SOA takes a new serial and another TTL', () => {
    const set = compileRecords(300, SOA);
    const short = withSerial(withTtl(set, 5), 0xfffefdfc);
    assert.equal(set.wire, text(`c00c 0006 0001 0000012c ${soaAfterTtl('00000001')}`));
    assert.equal(short.wire, text(`c00c 0006 0001 00000005 ${soaAfterTtl('fffefdfc')}`));
  });

  test('give their records back', () => {
    const owner = nameKey('m.example');
    const records = [
      { owner, type: 15, ttl: 60, data: text('000a 02 4d31 01 61 00') },
      { owner, type: 15, ttl: 60, data: text('0014 01 62 00') },
    ] as const;
    const set = compileSet(records[0], records.slice(1));
    assert.deepEqual(recordsOf(owner, set), records);
    assert.deepEqual(set.targets, [
      { key: nameKey('m1.a'), at: 14 },
      { key: nameKey('b'), at: 34 },
    ]);
  });

  test('of several TTLs have the lowest, and none is there twice (RFC 2181 §5.2, §5)', () => {
    const owner = nameKey('a');
    const record = (ttl: number, data: string) => ({ owner, type: 1, ttl, data });
    const set = compileSet(record(300, 'abcd'), [record(0x80000000, 'efgh'), record(77, 'abcd')]);
    assert.deepEqual(recordsOf(owner, set), [record(77, 'abcd'), record(77, 'efgh')]);
  });
});
