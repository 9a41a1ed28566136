import assert from 'node:assert/strict';
import { test } from 'node:test';

import { answerThreads, isAnswerThread, serviceOf, threadNumber } from '../../src/service/thread-name.ts';

test('the threads that answer beside dns are numbered from 2', () => {
  assert.deepEqual(answerThreads(1), []);
  assert.deepEqual(answerThreads(3), ['dns-2', 'dns-3']);
  assert.deepEqual(answerThreads(16).map(threadNumber).at(-1), 16);
});

test('a name tells the service and the place in it', () => {
  const rows = (['dns', 'dns-2', 'dns-10', 'dhcp', 'importer'] as const).map((name) => [
    serviceOf(name),
    threadNumber(name),
    isAnswerThread(name),
  ]);
  assert.deepEqual(rows, [
    ['dns', 1, false],
    ['dns', 2, true],
    ['dns', 10, true],
    ['dhcp', 1, false],
    ['importer', 1, false],
  ]);
});
