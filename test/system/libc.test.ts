import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checked, loadLibc, SystemCallError } from '../../src/system/libc.ts';

const libc = loadLibc();

test('a call that succeeds gives its result', () => {
  assert.equal(checked('a call', 7), 7);
  assert.equal(checked('a call', 0), 0);
});

test('a call that fails names itself and the error', () => {
  assert.throws(
    () => checked('close', libc.close(-1)),
    (error) => error instanceof SystemCallError && error.message === 'close: EBADF' && error.code === 'EBADF',
  );
});

test('the loopback interface has an index, an unknown name has none', () => {
  assert.ok(libc.if_nametoindex('lo') > 0);
  assert.equal(libc.if_nametoindex('no-such-one'), 0);
});
