import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { CredentialsFile } from '../../src/sync/credentials-file.ts';
import { enrol } from '../../src/sync/enrol.ts';
import { RackSecret } from '../../src/sync/rack-secret.ts';
import { RegionFault } from '../../src/sync/region-fault.ts';
import type { RawAnswer, Transport } from '../../src/sync/transport.ts';
import { away, RACK } from './link-rig.ts';

const root = mkdtempSync(join(tmpdir(), 'rackboot-enrol-'));
after(() => rmSync(root, { recursive: true }));

const WISH = {
  token: 'a token that was made for this',
  name: 'rack-t',
  version: '0.1.0',
  urls: ['https://a', 'https://b'],
};
const ENROLLED: RawAnswer = { status: 201, text: JSON.stringify({ rack: RACK }) };
const USED: RawAnswer = { status: 403, text: '{"error":"this token is not known, was used, or is too old"}' };

interface Enrolment {
  readonly token: string;
  readonly keyHash: string;
}

function newFile(): CredentialsFile {
  const state = mkdtempSync(join(root, 'one-'));
  return new CredentialsFile(join(state, 'region.key'), state);
}

/** Answers in this order; what it was asked is in `asked`. */
function region(...answers: readonly (RawAnswer | RegionFault)[]) {
  const asked: (Enrolment & { url: string })[] = [];
  let open = 0;
  const connect = (url: string): Promise<Transport> => {
    open++;
    return Promise.resolve({
      isOpen: true,
      close: () => void open--,
      ask: ({ body = '' }) => {
        asked.push({ ...(JSON.parse(body) as Enrolment), url });
        const answer = answers[asked.length - 1] ?? away();
        return answer instanceof RegionFault ? Promise.reject(answer) : Promise.resolve(answer);
      },
    });
  };
  return { asked, connect, open: () => open };
}

test('a key is made and written down before the region is told its hash', async () => {
  const file = newFile();
  const { asked, connect, open } = region(ENROLLED);
  let written: string | undefined;
  const watched = (url: string): Promise<Transport> => {
    written = file.read().pending?.key.hash;
    return connect(url);
  };
  assert.deepEqual(await enrol(WISH, file, watched), { rack: RACK, url: 'https://a' });
  assert.equal(asked[0]?.keyHash, written);
  const { rack, key, url, pending } = file.read();
  assert.deepEqual([rack, key?.hash, url, pending], [RACK, written, 'https://a', undefined]);
  assert.equal(open(), 0);
});

test('a call after a lost answer says the same once more, and completes the file', async () => {
  const file = newFile();
  const { asked, connect } = region(away('the connection was cut'), away(), ENROLLED);
  await assert.rejects(enrol(WISH, file, connect), /https:\/\/b: connect ECONNREFUSED/);
  assert.equal(file.read().rack, undefined);
  await enrol(WISH, file, connect);
  assert.deepEqual(
    asked.map(({ url }) => url),
    ['https://a', 'https://b', 'https://a'],
  );
  assert.equal(new Set(asked.map(({ keyHash }) => keyHash)).size, 1);
  assert.equal(file.read().key?.hash, asked[0]?.keyHash);
});

test('another token is another enrolment, with a key of its own', async () => {
  const file = newFile();
  const { asked, connect } = region(away(), away(), ENROLLED);
  await assert.rejects(enrol(WISH, file, connect));
  await enrol({ ...WISH, token: 'another one, made later' }, file, connect);
  assert.notEqual(asked[2]?.keyHash, asked[0]?.keyHash);
});

test('a refusal ends it: no other URL is asked, what was there counts on, and no token is told', async () => {
  const file = newFile();
  const key = RackSecret.create();
  file.write({ rack: RACK, key, rotated: 3 });
  const echo = { status: 403, text: JSON.stringify({ error: `no such token: ${WISH.token}` }) };
  const { asked, connect } = region(echo);
  await assert.rejects(enrol(WISH, file, connect), /^RegionFault: answers 403: no such token: \[token\]$/);
  assert.equal(asked.length, 1);
  const now = file.read();
  assert.deepEqual([now.rack, now.key?.hash, now.rotated, now.pending], [RACK, key.hash, 3, undefined]);
});

test('a refusal of a rack that was never enrolled leaves nobody waiting', async () => {
  const file = newFile();
  await assert.rejects(enrol(WISH, file, region(USED).connect), /was used/);
  assert.deepEqual(existsSync(file.path) ? file.read() : {}, {});
});

test('while it is enrolled anew, a rack is who it was; then it has no key before', async () => {
  const file = newFile();
  const [key, previous] = [RackSecret.create(), RackSecret.create()];
  file.write({ rack: RACK, key, previous });
  await assert.rejects(enrol(WISH, file, region().connect));
  assert.deepEqual([file.read().key?.hash, file.read().previous?.hash], [key.hash, previous.hash]);
  await enrol(WISH, file, region(ENROLLED).connect);
  assert.equal(file.read().previous, undefined);
});

test('the same rack, enrolled anew, knows which order for a new key it obeyed; another one knows none', async () => {
  for (const [rack, rotated] of [
    [RACK, 3],
    ['99999999-2222-4333-8444-555555555555', undefined],
  ] as const) {
    const file = newFile();
    file.write({ rack, key: RackSecret.create(), rotated: 3 });
    await enrol(WISH, file, region(ENROLLED).connect);
    assert.equal(file.read().rotated, rotated);
  }
});

test('an answer that is none is as good as lost', async () => {
  const file = newFile();
  const { connect } = region({ status: 200, text: '{"rack":"somebody"}' }, { status: 201, text: 'yes' });
  await assert.rejects(enrol(WISH, file, connect), /answers what is no JSON/);
  assert.ok(file.read().pending);
});
