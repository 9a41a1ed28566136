import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';

import { askSecrets } from '../../src/cli/ask-secret.ts';

function ask(typed: string, ends = false, questions = ['API key: ']) {
  const input = new PassThrough();
  let told = '';
  const answer = askSecrets(questions, input, (text) => (told += text));
  input.write(typed);
  if (ends) input.end();
  return { answer, told: () => told };
}

test('what is typed is given, and is shown nowhere', async () => {
  const { answer, told } = ask('a:b:cd\u007f\r');
  assert.deepEqual(await answer, ['a:b:c']);
  assert.equal(told(), 'API key: \n');
});

test('two answers that come in one piece are both heard, and nothing beyond them', async () => {
  const { answer, told } = ask('geheim\rgeheim\rmore\r', false, ['Password: ', 'Password again: ']);
  assert.deepEqual(await answer, ['geheim', 'geheim']);
  assert.equal(told(), 'Password: \nPassword again: \n');
});

for (const [title, typed, ends] of [
  ['Ctrl-C', '\u0003', false],
  ['Ctrl-D', '\u0004', false],
  ['the end of the terminal', '', true],
] as const) {
  test(`${title} is no answer`, async () => {
    const { answer, told } = ask(typed, ends);
    await assert.rejects(answer, /nothing was typed/);
    assert.equal(told(), 'API key: \n');
  });
}
