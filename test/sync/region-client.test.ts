import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RegionClient } from '../../src/sync/region-client.ts';
import { RegionFault } from '../../src/sync/region-fault.ts';
import type { Question, RawAnswer, Transport } from '../../src/sync/transport.ts';
import { settled } from './slow-time.ts';

const QUESTION: Question = { method: 'GET', path: '/x', within: 1_000, most: 1_000 };
const ANSWER: RawAnswer = { status: 200, text: '{}' };

/** A way to a region whose answers a test gives by hand. */
class HandTransport implements Transport {
  isOpen = true;
  isClosed = false;
  readonly asked: { readonly answer: () => void; readonly fail: () => void }[] = [];

  ask(): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new RegionFault('away', 'cut'));
      this.asked.push({ answer: () => resolve(ANSWER), fail });
    });
  }

  close(): void {
    this.isClosed = true;
    for (const { fail } of this.asked) fail();
  }
}

function rig(...urls: readonly string[]) {
  const made: (HandTransport & { url?: string })[] = [];
  const client = new RegionClient(urls, (url) => {
    const transport = Object.assign(new HandTransport(), { url });
    made.push(transport);
    return Promise.resolve(transport);
  });
  const ask = (): { outcome: string } => {
    const asked = { outcome: 'open' };
    client.ask(QUESTION).then(
      () => (asked.outcome = 'answered'),
      (error: Error) => (asked.outcome = error.message),
    );
    return asked;
  };
  return { client, made, ask };
}

test('all questions share one connection, those before it is made too', async () => {
  const { made, ask } = rig('https://a');
  const asked = [ask(), ask(), ask()];
  await settled();
  assert.equal(made.length, 1);
  for (const { answer } of made[0]?.asked ?? []) answer();
  await settled();
  assert.deepEqual(
    asked.map(({ outcome }) => outcome),
    ['answered', 'answered', 'answered'],
  );
  assert.equal(made[0]?.isClosed, false);
});

test('a connection that takes no more questions still answers those it has', async () => {
  const { made, ask } = rig('https://a');
  const poll = ask();
  await settled();
  const [first] = made;
  assert.ok(first);
  first.isOpen = false;
  const report = ask();
  await settled();
  assert.equal(made.length, 2);
  assert.equal(first.isClosed, false);
  first.asked[0]?.answer();
  made[1]?.asked[0]?.answer();
  await settled();
  assert.deepEqual([poll.outcome, report.outcome], ['answered', 'answered']);
  assert.deepEqual(
    made.map(({ isClosed }) => isClosed),
    [true, false],
  );
});

test('a fault ends the connection for all, and the next question has another', async () => {
  const { made, ask } = rig('https://a');
  const [one, other] = [ask(), ask()];
  await settled();
  made[0]?.asked[0]?.fail();
  await settled();
  assert.deepEqual([one.outcome, other.outcome], ['cut', 'cut']);
  ask();
  await settled();
  assert.equal(made.length, 2);
});

test('to move on ends nothing that is under way, happens once for one failure, and never with one URL', async () => {
  const { client, made, ask } = rig('https://a', 'https://b');
  const poll = ask();
  await settled();
  client.moveOn('https://a');
  client.moveOn('https://a');
  assert.equal(client.url, 'https://b');
  ask();
  await settled();
  assert.deepEqual(
    made.map(({ url }) => url),
    ['https://a', 'https://b'],
  );
  made[0]?.asked[0]?.answer();
  await settled();
  assert.equal(poll.outcome, 'answered');
  assert.equal(made[0]?.isClosed, true);
  const { client: alone } = rig('https://a');
  alone.moveOn('https://a');
  assert.equal(alone.url, 'https://a');
});
