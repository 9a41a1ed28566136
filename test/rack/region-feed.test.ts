import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RegionFeed } from '../../src/rack/region-feed.ts';
import type { EventLetter } from '../../src/service/region-letters.ts';
import type { RackEvent } from '../../src/timeline/event.ts';

function events(from: number, count: number): RackEvent[] {
  return Array.from({ length: count }, (_, i) => ({
    kind: 'rack.ready',
    milliseconds: from + i,
    at: from + i,
    source: 'rack',
  }));
}

function numbersIn({ lines }: EventLetter): number[] {
  return lines.split('\n').map((line) => (JSON.parse(line) as { milliseconds: number }).milliseconds);
}

function rig() {
  const sent: EventLetter[] = [];
  const feed = new RegionFeed((letter) => sent.push(letter));
  return { feed, sent, told: () => sent.flatMap(numbersIn) };
}

test('what gathers goes in one letter, in order, when somebody hears', () => {
  const { feed, sent, told } = rig();
  feed.add(events(0, 2));
  feed.flush();
  assert.equal(sent.length, 0);
  feed.heard();
  feed.add(events(2, 1));
  feed.add(events(3, 1));
  feed.flush();
  feed.flush();
  assert.equal(sent.length, 2);
  assert.deepEqual(told(), [0, 1, 2, 3]);
});

test('questions to the DNS server are nothing for the region', () => {
  const { feed, sent } = rig();
  feed.heard();
  feed.add([{ kind: 'dns.query', name: 'a', type: 'A', answer: '', at: 1, source: 'dns' }]);
  feed.flush();
  assert.equal(sent.length, 0);
});

test('a thread that takes nothing is sent so much and no more; what it takes makes room', () => {
  const { feed, sent, told } = rig();
  feed.heard();
  feed.add(events(0, 40_000));
  feed.flush();
  assert.equal(sent.length, 16);
  feed.taken(1);
  assert.equal(sent.length, 17);
  for (let letter = 2; letter <= 20; letter++) feed.taken(letter);
  assert.deepEqual(
    told(),
    Array.from({ length: 40_000 }, (_, i) => i),
  );
  assert.deepEqual(
    sent.map(({ number }) => number),
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
});

test('a new thread is sent all that the one before may not have written, under the same numbers', () => {
  const { feed, sent } = rig();
  feed.heard();
  for (const from of [0, 1, 2]) {
    feed.add(events(from, 1));
    feed.flush();
  }
  feed.taken(1);
  feed.unheard();
  feed.add(events(3, 1));
  feed.flush();
  assert.equal(sent.length, 3);
  feed.heard();
  assert.deepEqual(
    sent.slice(3).map((letter) => [letter.number, ...numbersIn(letter)]),
    [
      [2, 1],
      [3, 2],
      [4, 3],
    ],
  );
  assert.equal(new Set(sent.map(({ life }) => life)).size, 1);
});

test('more than memory is to hold is given up, the oldest first, and counted with the next letter', () => {
  const { feed, sent, told } = rig();
  feed.add(events(0, 50_000));
  feed.add(events(50_000, 25_000));
  feed.heard();
  assert.equal(sent[0]?.forgotten?.count, 45_000);
  assert.equal(sent[0]?.forgotten?.before, 44_999);
  assert.equal(told()[0], 45_000);
  assert.ok(sent.slice(1).every(({ forgotten }) => forgotten === undefined));
});
