import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageType, messageTypeName } from '../../../src/wire/dhcp/message-type.ts';

test('every message type has its name in capitals', () => {
  for (const [name, type] of Object.entries(MessageType)) assert.equal(messageTypeName(type), name.toUpperCase());
});

test('a type RFC 2132 does not know shows its number', () => {
  assert.deepEqual([0, 9, 255].map(messageTypeName), ['type 0', 'type 9', 'type 255']);
});
