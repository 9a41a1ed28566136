import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LogWriter, type WriteSome } from '../../src/rack/log-writer.ts';

function rig(write?: WriteSome): { writer: LogWriter; written: string[]; turn: () => void } {
  const [written, waiting]: [string[], (() => void)[]] = [[], []];
  const writer = new LogWriter({
    write: write ?? ((bytes) => (written.push(Buffer.from(bytes).toString()), bytes.length)),
    later: (flush) => waiting.push(flush),
  });
  return { writer, written, turn: () => waiting.splice(0).forEach((flush) => flush()) };
}

test('the lines of one turn are one write, those of the next another', () => {
  const { writer, written, turn } = rig();
  writer.write('a\n');
  writer.write('b\n');
  assert.deepEqual(written, []);
  turn();
  writer.write('c\n');
  turn();
  turn();
  assert.deepEqual(written, ['a\nb\n', 'c\n']);
});

test('a process that ends writes what it has at once, and not twice', () => {
  const { writer, written, turn } = rig();
  writer.write('last words\n');
  writer.flush();
  turn();
  assert.deepEqual(written, ['last words\n']);
});

test('a pipe that takes little at a time gets all of it in the end', () => {
  let text = '';
  const { writer, turn } = rig(
    (bytes) => ((text += Buffer.from(bytes.subarray(0, 3)).toString()), Math.min(3, bytes.length)),
  );
  writer.write('one line\n');
  turn();
  assert.equal(text, 'one line\n');
});

test('what can not be written is lost, and the next line is tried again', () => {
  let calls = 0;
  const { writer, turn } = rig(() => {
    calls++;
    throw new Error('ENOSPC');
  });
  writer.write('a\n');
  turn();
  writer.write('b\n');
  turn();
  assert.equal(calls, 2);
});

test('a line that was cut short by a full pipe does not run into the next one', () => {
  let [text, room] = ['', 8];
  const { writer, turn } = rig((bytes) => {
    if (room === 0) throw new Error('EAGAIN');
    const taken = Math.min(room, bytes.length);
    room -= taken;
    text += Buffer.from(bytes.subarray(0, taken)).toString();
    return taken;
  });
  writer.write('{"a":1}\n');
  writer.write('{"b":2}\n');
  turn();
  room = 3;
  writer.write('{"c":3}\n');
  turn();
  room = 100;
  writer.write('{"d":4}\n');
  turn();
  assert.equal(text, '{"a":1}\n{"c\n{"d":4}\n');
});
