import assert from 'node:assert/strict';
import { chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { geteuid } from 'node:process';
import { after, test } from 'node:test';
import { inspect } from 'node:util';

import { parseAuthorization } from '../../src/contract/rack-key.ts';
import { CredentialsFile } from '../../src/sync/credentials-file.ts';
import { RackIdentity } from '../../src/sync/rack-identity.ts';
import { RackSecret } from '../../src/sync/rack-secret.ts';
import type { EventBody } from '../../src/timeline/event.ts';
import { RACK } from './link-rig.ts';

const OTHER = RACK.replace('1', '2');

const root = mkdtempSync(join(tmpdir(), 'rackboot-identity-'));
after(() => rmSync(root, { recursive: true }));

function newFile(): CredentialsFile {
  const state = mkdtempSync(join(root, 'one-'));
  return new CredentialsFile(join(state, 'region.key'), state);
}

/** A region's side of it: who may ask by which key. */
class RegionKeys {
  current: string;
  next: string | undefined;

  constructor(secret: RackSecret) {
    this.current = secret.hash;
  }

  takes(authorization: string | undefined): boolean {
    const hash = new RackSecret(parseAuthorization(authorization)?.key ?? '').hash;
    if (hash === this.next) [this.current, this.next] = [this.next, undefined];
    return hash === this.current;
  }
}

function rig(file = newFile()) {
  const told: EventBody[] = [];
  const identity = new RackIdentity(file, { emit: (body) => void told.push(body) });
  return { identity, told, file };
}

/** Asks as the link does, until it is told yes, or twice no. */
function ask(identity: RackIdentity, region: RegionKeys): boolean {
  const { authorization } = identity;
  if (region.takes(authorization)) {
    identity.works(authorization);
    return true;
  }
  return identity.tryOther(authorization) && ask(identity, region);
}

/** Tells the region of the new key. */
function tell(identity: RackIdentity, region: RegionKeys): void {
  const { untold } = identity;
  if (!untold) return;
  assert.ok(ask(identity, region));
  // The question was by the new one already
  if (!identity.untold) return;
  region.next = untold.hash;
}

/** Where the rack dies on the way to a new key. */
const DEATHS = [
  'before it is told',
  'before it hears that it was told',
  'before the first question',
  'when it has the answer',
  'never',
] as const;

for (const death of DEATHS) {
  test(`a rack that dies ${death} has a key in the end that the region knows, and one only`, () => {
    const first = RackSecret.create();
    const region = new RegionKeys(first);
    const { file } = rig();
    file.write({ rack: RACK, key: first });
    const before = rig(file).identity;
    assert.equal(before.beginRotation(1), true);
    if (death !== 'before it is told') tell(before, region);
    const { untold } = before;
    if (untold && (death === 'before the first question' || death === 'never')) before.told(untold);
    if (death === 'never') assert.ok(ask(before, region));
    // The region has it, and the rack could not write that down
    if (death === 'when it has the answer') assert.ok(region.takes(file.read().next?.authorizationOf(RACK)));

    const { identity } = rig(file);
    assert.equal(identity.beginRotation(1), false, 'an order is obeyed once');
    const { untold: again } = identity;
    if (again) {
      tell(identity, region);
      identity.told(again);
    }
    assert.ok(ask(identity, region));
    const now = file.read();
    assert.equal(now.next, undefined);
    assert.equal(now.previous?.hash, first.hash);
    assert.equal(now.key?.hash, region.current);
    assert.notEqual(region.current, first.hash);
    assert.equal(now.rotated, 1);
  });
}

/** Where the rack dies on the way back to its key, when the region knows only the one before. */
const DEATHS_ON_THE_WAY_BACK = [
  'before it is heard',
  'before it tells of its key',
  'before it hears that it was told',
  'before the first question',
  'never',
] as const;

for (const death of DEATHS_ON_THE_WAY_BACK) {
  test(`a region that knows only the key before is told of the present one, also by a rack that dies ${death}`, () => {
    const [previous, key] = [RackSecret.create(), RackSecret.create()];
    const region = new RegionKeys(previous);
    const { file, identity: before, told: toldBefore } = rig();
    file.write({ rack: RACK, key, previous, rotated: 3 });
    assert.equal(before.reread(), true);
    if (death !== 'before it is heard') {
      assert.ok(ask(before, region));
      assert.equal(before.untold?.hash, key.hash);
    }
    if (!death.startsWith('before it ') || death === 'before it hears that it was told') region.next = key.hash;
    const waiting = before.untold;
    if (waiting && (death === 'before the first question' || death === 'never')) before.told(waiting);
    if (death === 'never') {
      assert.ok(ask(before, region));
      assert.ok(ask(before, region));
      assert.deepEqual(toldBefore, [{ kind: 'region.key-restored' }]);
    }

    const { identity, told } = rig(file);
    assert.ok(ask(identity, region));
    const { untold } = identity;
    if (untold) {
      tell(identity, region);
      identity.told(untold);
      assert.ok(ask(identity, region));
      assert.deepEqual(told, [{ kind: 'region.key-restored' }]);
    }
    assert.equal(region.current, key.hash);
    assert.equal(identity.authorization, key.authorizationOf(RACK));
    assert.equal(identity.untold, undefined);
    const now = file.read();
    assert.deepEqual(
      [now.key?.hash, now.previous?.hash, now.next, now.rotated],
      [key.hash, previous.hash, undefined, 3],
    );
  });
}

test('a new key that is ordered on the way back follows when the present one is taken again', () => {
  const [previous, key] = [RackSecret.create(), RackSecret.create()];
  const region = new RegionKeys(previous);
  const { file, identity, told } = rig();
  file.write({ rack: RACK, key, previous, rotated: 3 });
  identity.reread();
  assert.ok(ask(identity, region));
  assert.equal(identity.beginRotation(4), true);
  for (let untold = identity.untold; untold; untold = identity.untold) {
    tell(identity, region);
    identity.told(untold);
    assert.ok(ask(identity, region));
  }
  const now = file.read();
  assert.deepEqual([now.key?.hash, now.previous?.hash, now.next], [region.current, key.hash, undefined]);
  assert.ok(![previous.hash, key.hash].includes(region.current));
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['region.key-restored', 'region.key-changed'],
  );
});

test('where the region knows neither key both are tried at once, and then one at a time', () => {
  const [previous, key] = [RackSecret.create(), RackSecret.create()];
  const { file, identity, told } = rig();
  file.write({ rack: RACK, key, previous });
  identity.reread();
  const tried = (): boolean[] =>
    [1, 2, 3, 4, 5].map(() => {
      const { authorization } = identity;
      return identity.tryOther(authorization);
    });
  assert.deepEqual(tried(), [true, false, false, false, false]);
  assert.equal(identity.untold, undefined, 'nobody is told of a key by one that is not taken');
  // Whichever is known in the end
  assert.equal(ask(identity, new RegionKeys(key)) || ask(identity, new RegionKeys(key)), true);
  assert.deepEqual(tried().slice(0, 2), [true, false]);
  assert.deepEqual(told, []);
});

test('a region that is told of the present key and does not take it is not told over and over at once', () => {
  const [previous, key] = [RackSecret.create(), RackSecret.create()];
  const region = new RegionKeys(previous);
  const { file, identity, told } = rig();
  file.write({ rack: RACK, key, previous });
  identity.reread();
  assert.ok(ask(identity, region));
  for (let round = 0; round < 3; round++) {
    const { untold } = identity;
    assert.ok(untold);
    identity.told(untold);
    assert.equal(ask(identity, region), false, 'whoever asked waits');
    assert.ok(ask(identity, region));
  }
  assert.deepEqual(told, []);
});

test('a late answer by the key before is no reason to tell of the present one', () => {
  const [previous, key] = [RackSecret.create(), RackSecret.create()];
  const { file, identity, told } = rig();
  file.write({ rack: RACK, key, previous });
  identity.reread();
  identity.works(previous.authorizationOf(RACK));
  identity.works(key.authorizationOf(RACK));
  assert.equal(identity.untold, undefined);
  // That it is not taken says nothing of the present one
  assert.equal(identity.tryOther(previous.authorizationOf(RACK)), true);
  assert.equal(identity.authorization, key.authorizationOf(RACK));
  assert.deepEqual(told, []);
});

test('no key of the file is left in what somebody else said', () => {
  const [key, next, previous, enrolling] = [1, 2, 3, 4].map(() => RackSecret.create());
  const { file, identity } = rig();
  assert.ok(key && next && previous && enrolling);
  file.write({ rack: RACK, key, next, previous, pending: { key: enrolling, token: 'x', url: 'https://a' } });
  identity.reread();
  const said = [key, next, previous, enrolling].map((secret) => secret.reveal()).join(' ');
  assert.equal(identity.hideIn(said), '[key] [key] [key] [key]');
});

test('a disk that takes no key changes nothing', (t) => {
  const { file } = rig();
  const key = RackSecret.create();
  file.write({ rack: RACK, key });
  const { identity } = rig(file);
  t.mock.method(file, 'write', () => {
    throw new Error('full');
  });
  assert.throws(() => identity.beginRotation(1), /full/);
  assert.equal(identity.untold, undefined);
  assert.equal(identity.authorization, key.authorizationOf(RACK));
});

test('what is enrolled while the rack changes its key is not written over', () => {
  const { file } = rig();
  const [first, second] = [RackSecret.create(), RackSecret.create()];
  file.write({ rack: RACK, key: first, next: second });
  const { identity } = rig(file);
  const other = RackSecret.create();
  file.write({ rack: OTHER, key: other });
  identity.works(second.authorizationOf(RACK));
  assert.equal(file.read().key?.hash, other.hash);
  assert.equal(identity.beginRotation(1), true);
  const { rack, key, next } = file.read();
  assert.deepEqual([rack, key?.hash], [OTHER, other.hash]);
  assert.notEqual(next?.hash, second.hash);
});

test('a key that neither the region nor the file knows is refused', () => {
  const { file } = rig();
  file.write({ rack: RACK, key: RackSecret.create(), next: RackSecret.create() });
  const { identity } = rig(file);
  assert.equal(ask(identity, new RegionKeys(RackSecret.create())), false);
  assert.equal(ask(identity, new RegionKeys(RackSecret.create())), false);
});

test('a file that is written anew is read when it is looked at', () => {
  const { identity, file } = rig();
  assert.equal(identity.authorization, undefined);
  assert.match(identity.whyNobody, /not been enrolled/);
  assert.equal(identity.reread(), false);
  file.write({ pending: { key: RackSecret.create(), token: 'x', url: 'https://a' } });
  assert.equal(identity.reread(), true);
  assert.match(identity.whyNobody, /once more, with the same token/);
  const key = RackSecret.create();
  file.write({ rack: RACK, key });
  assert.equal(identity.reread(), true);
  assert.equal(identity.authorization, key.authorizationOf(RACK));
});

const BAD: readonly (readonly [what: string, text: string])[] = [
  ['no JSON', '{ "key": "SECRET'],
  ['a key that is none', '{ "rack": "11111111-2222-4333-8444-555555555555", "key": "SECRET" }'],
  ['a rack that is none', '{ "rack": "SECRET" }'],
  ['a list', '["SECRET"]'],
];
for (const [what, text] of BAD) {
  test(`a file with ${what} is said to be bad, and nothing of it is said`, () => {
    const { identity, file } = rig();
    writeFileSync(file.path, text);
    assert.equal(identity.reread(), true);
    assert.equal(identity.authorization, undefined);
    assert.ok(identity.whyNobody.startsWith(file.path), identity.whyNobody);
    assert.ok(!identity.whyNobody.includes('SECRET'), identity.whyNobody);
  });
}

test('the file is its owner’s alone, and a key prints as nothing', () => {
  const { file } = rig();
  const key = RackSecret.create();
  file.write({ rack: RACK, key });
  assert.equal(statSync(file.path).mode & 0o777, 0o600);
  assert.ok(readFileSync(file.path, 'utf8').includes(key.reveal()));
  for (const text of [inspect({ key }), JSON.stringify({ key }), inspect(key), inspect(rig(file).identity)]) {
    assert.ok(!text.includes(key.reveal()), text);
  }
});

test(
  'the file is whose the rack’s directory is, wherever it stands',
  { skip: geteuid?.() !== 0 && 'only root gives files away' },
  () => {
    const [state, elsewhere] = [mkdtempSync(join(root, 'state-')), mkdtempSync(join(root, 'etc-'))];
    chownSync(state, 65_534, 65_534);
    const file = new CredentialsFile(join(elsewhere, 'region.key'), state);
    file.write({ rack: RACK, key: RackSecret.create() });
    assert.equal(statSync(file.path).uid, 65_534);
  },
);
