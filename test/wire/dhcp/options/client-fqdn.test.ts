import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeClientFqdn, encodeClientFqdn, type ClientFqdn } from '../../../../src/wire/dhcp/options/client-fqdn.ts';
import { Dice } from '../../../dhcp/dice.ts';

const PLAIN: ClientFqdn = {
  serverUpdates: false,
  isOverridden: false,
  noUpdates: false,
  isCanonical: true,
  name: 'node1.rack.example',
};
const NODE1 = '05 6e6f646531 04 7261636b 07 6578616d706c65';

const READ: readonly (readonly [string, string, Partial<ClientFqdn> | undefined])[] = [
  ['a whole name in wire form, server to update', `05 00 00 ${NODE1} 00`, { serverUpdates: true }],
  ['a name to be completed', '04 00 00 05 6e6f646531', { name: 'node1' }],
  ['ASCII, as Windows sends it', '00 00 00 6e6f6465312e', { isCanonical: false, name: 'node1' }],
  ['ASCII with a NUL', '01 00 00 6e6f646531 00', { isCanonical: false, serverUpdates: true, name: 'node1' }],
  ['no updates wanted, RCODEs of an old client', `0c ff ff ${NODE1} 00`, { noUpdates: true }],
  ['overridden', `06 ff ff ${NODE1} 00`, { isOverridden: true }],
  ['no name', '05 00 00', { serverUpdates: true, name: '' }],
  ['the root', '04 00 00 00', { name: '' }],
  ['what follows the root', '04 00 00 01 61 00 ff ff', { name: 'a' }],
  ['flags that are not defined yet', `f4 00 00 ${NODE1}`, {}],
  ['nothing', '', undefined],
  ['two bytes', '05 00', undefined],
  ['a label past the end', '04 00 00 05 6e6f', undefined],
  ['a compression pointer', '04 00 00 c0 00', undefined],
  ['a label of 64', `04 00 00 40 ${'61'.repeat(64)}`, undefined],
  ['a name of 256 bytes', `04 00 00 ${`01 61`.repeat(128)}`, undefined],
  ['bytes that are no text', '00 00 00 c3 a9', undefined],
];

for (const [what, hex, expected] of READ) {
  test(`${what} is read as ${expected ? 'a name and its flags' : 'nothing'}`, () => {
    const value = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    assert.deepEqual(decodeClientFqdn(value), expected && { ...PLAIN, ...expected });
  });
}

test('an option that is not there is no name', () => {
  assert.equal(decodeClientFqdn(undefined), undefined);
});

function written(fqdn: ClientFqdn): string {
  return Buffer.from(encodeClientFqdn(fqdn)).toString('hex');
}

test('a server writes 255 for the RCODEs, and the root label behind a name', () => {
  assert.equal(written({ ...PLAIN, serverUpdates: true }), `05ffff${NODE1.replaceAll(' ', '')}00`);
  assert.equal(written({ ...PLAIN, isCanonical: false, isOverridden: true, name: 'a.b' }), '02ffff612e62');
  assert.equal(written({ ...PLAIN, noUpdates: true, name: '' }), '0cffff');
});

test('what was written is read back', () => {
  const dice = new Dice(81);
  for (let i = 0; i < 500; i++) {
    const labels = Array.from({ length: dice.below(4) }, () => 'x'.repeat(1 + dice.below(63)));
    const fqdn: ClientFqdn = {
      serverUpdates: dice.chance(50),
      isOverridden: dice.chance(50),
      noUpdates: dice.chance(50),
      isCanonical: dice.chance(50),
      name: labels.join('.'),
    };
    assert.deepEqual(decodeClientFqdn(encodeClientFqdn(fqdn)), fqdn);
  }
});

test('any bytes give a name or nothing', () => {
  const dice = new Dice(4702);
  for (let i = 0; i < 5000; i++) {
    decodeClientFqdn(Uint8Array.from({ length: dice.below(40) }, () => dice.below(i % 2 === 0 ? 256 : 8)));
  }
});
