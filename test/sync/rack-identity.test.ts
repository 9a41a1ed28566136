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
  return identity.tryOther() && ask(identity, region);
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
    if (death === 'before the first question' || death === 'never') before.told();
    if (death === 'never') assert.ok(ask(before, region));
    // The region has it, and the rack could not write that down
    if (death === 'when it has the answer') assert.ok(region.takes(file.read().next?.authorizationOf(RACK)));

    const { identity } = rig(file);
    assert.equal(identity.beginRotation(1), false, 'an order is obeyed once');
    if (identity.untold) {
      tell(identity, region);
      identity.told();
    }
    assert.ok(ask(identity, region));
    const now = file.read();
    assert.equal(now.next, undefined);
    assert.equal(now.key?.hash, region.current);
    assert.notEqual(region.current, first.hash);
    assert.equal(now.rotated, 1);
  });
}

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
