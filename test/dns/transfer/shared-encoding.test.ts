import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { SharedEncoding } from '../../../src/dns/transfer/shared-encoding.ts';
import type { ResourceRecord } from '../../../src/wire/dns/resource-record.ts';
import { readRecords } from '../../../src/wire/dns/update.ts';
import { recordText } from '../../../src/zones/zone-change.ts';
import { ORIGIN, record, soa } from '../../zones/records.ts';
import { recordLines } from '../primary.ts';

const QUESTION_END = 12 + ORIGIN.length + 4;

/** The messages, without their lengths. */
function messagesOf(records: readonly ResourceRecord[]): Buffer[] {
  const encoding = new SharedEncoding(ORIGIN, records);
  const messages: Buffer[] = [];
  for (let index = 0; ; index++) {
    const message = encoding.message(index);
    if (!message) return messages;
    assert.equal(message.readUInt16BE(0), message.length - 2);
    messages.push(message.subarray(2));
  }
}

function recordsIn(messages: readonly Buffer[]): string[] {
  return messages.flatMap((bytes, index) => {
    const start = index === 0 ? QUESTION_END : 12;
    return readRecords(bytes, start, bytes.readUInt16BE(6)).records.map(recordText);
  });
}

describe('the messages of a transfer', () => {
  const many = Array.from({ length: 3000 }, (_, n) => record(`node${n}.row${n % 7} A 192.0.2.1`));

  test('hold every record in its order, and none is much longer than the others', () => {
    const records = [soa(7), ...many, soa(7)];
    const messages = messagesOf(records);
    assert.ok(messages.length > 3 && messages.every(({ length }) => length <= 16_384));
    assert.deepEqual(recordsIn(messages), records.map(recordText));
  });

  test('name each owner once: what stands in one message already is pointed at', () => {
    const [message = Buffer.alloc(0)] = messagesOf([
      soa(7),
      record('a.b A 192.0.2.1'),
      record('a.b TXT x'),
      record('c.b A 192.0.2.1'),
    ]);
    assert.equal(message.toString('latin1').split('\u0001b').length, 2);
    assert.deepEqual(recordLines([message]), [
      'rack.example SOA 7',
      'a.b.rack.example A 192.0.2.1',
      'a.b.rack.example TXT ?',
      'c.b.rack.example A 192.0.2.1',
    ]);
  });

  test('a record larger than a message usually is has one of its own', () => {
    const large: ResourceRecord = { ...record('big TXT x'), data: '\u00ff'.repeat(40_000) };
    const messages = messagesOf([soa(7), large, record('a A 192.0.2.1')]);
    assert.deepEqual(recordsIn(messages), [soa(7), large, record('a A 192.0.2.1')].map(recordText));
    assert.ok(messages.some(({ length }) => length > 40_000));
  });

  test('are written once, for however many ask', () => {
    let made = 0;
    const records = (function* () {
      for (const one of many) {
        made++;
        yield one;
      }
    })();
    const encoding = new SharedEncoding(ORIGIN, records);
    const first = encoding.message(0);
    assert.ok(made < 1500, `${made} records were made for one message`);
    assert.equal(encoding.message(0), first);
    encoding.message(100);
    assert.equal(made, 3000);
  });
});
