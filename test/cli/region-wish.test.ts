import assert from 'node:assert/strict';
import { test } from 'node:test';

import { regionWish, type RegionWords } from '../../src/cli/region-wish.ts';

const WORDS: RegionWords = { valid: '1h', list: false, limit: '100', 'no-source': false };
const ADMIN = { username: 'a', password: 'b', email: 'c@d' };

const TABLE: readonly (readonly [
  verb: string,
  words: Partial<RegionWords>,
  operands: readonly string[],
  wish: unknown,
])[] = [
  ['init', {}, [], { kind: 'init', source: true }],
  ['createadmin', ADMIN, [], { kind: 'createadmin', name: 'a', password: 'b', email: 'c@d' }],
  [
    'createadmin',
    { username: 'a' },
    [],
    'createadmin: expected --username, --email, and --password or --password-file, or a terminal to ask at',
  ],
  ['apikey', { username: 'a' }, [], { kind: 'apikey', name: 'a' }],
  ['apikey', { username: 'a', list: true }, [], { kind: 'apikeys', name: 'a' }],
  ['apikey', { username: 'a', revoke: '3' }, [], { kind: 'revoke', name: 'a', key: 3 }],
  ['apikey', {}, [], 'apikey: expected --username'],
  ['enrol-rack', { name: 'rack-a1', valid: '2h' }, [], { kind: 'enrol-rack', rack: 'rack-a1', seconds: 7200 }],
  ['enrol-rack', { name: 'Not a name' }, [], 'enrol-rack: rack: expected the name of a rack: a-z, 0-9 and -'],
  ['racks', {}, [], { kind: 'racks' }],
  ['racks', {}, ['remove', 'rack-a1'], { kind: 'remove-rack', rack: 'rack-a1' }],
  ['racks', {}, ['rotate', 'rack-a1'], { kind: 'rotate-key', rack: 'rack-a1' }],
  ['racks', {}, ['remove'], 'racks: expected remove NAME or rotate NAME'],
  ['audit', { limit: '5' }, [], { kind: 'audit', limit: 5 }],
  ['init', {}, ['more'], 'init: expected nothing more, found more'],
  ['dance', {}, [], 'expected run, init, createadmin, apikey, enrol-rack, racks or audit'],
];

for (const [verb, words, operands, wish] of TABLE) {
  test(`region ${verb} ${operands.join(' ')}: ${JSON.stringify(wish)}`, () => {
    assert.deepEqual(regionWish(verb, { ...WORDS, ...words }, operands), wish);
  });
}
