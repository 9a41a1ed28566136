import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import koffi from 'koffi';

import { toIp4 } from '../../src/addr/ip4.ts';
import { loadLibc, type Libc } from '../../src/system/libc.ts';
import { TrainQueue } from '../../src/system/train-queue.ts';

const { EAGAIN, EINVAL } = constants.errno;
const TO = { address: toIp4(0xc0000215), port: 2070 };

/** A kernel whose sendmmsg answers as told, and whose poll finds room or not. */
class FakeKernel {
  /** How long each wait for room was, in milliseconds at most. */
  readonly waits: number[] = [];
  readonly libc: Libc;
  hasRoom = false;
  time = 0;

  constructor(send: (count: number) => number) {
    this.libc = {
      ...loadLibc(),
      sendmmsg: (_fd, _headers, count) => {
        const answer = send(count);
        if (answer < 0) koffi.errno(-answer);
        return answer < 0 ? -1 : answer;
      },
      poll: (_set, _count, milliseconds) => {
        this.waits.push(milliseconds);
        if (!this.hasRoom) this.time += milliseconds;
        return Number(this.hasRoom);
      },
    };
  }

  queue(): TrainQueue {
    return new TrainQueue(this.libc, () => this.time);
  }
}

function sendTrain(queue: TrainQueue, fd: number): number {
  queue.room(fd, 100);
  queue.send(100, 10, TO);
  return queue.flush();
}

test('a socket that stays full costs everyone else one wait a second, not one for each packet', () => {
  const kernel = new FakeKernel(() => -EAGAIN);
  const queue = kernel.queue();
  for (let i = 0; i < 20; i++) assert.equal(sendTrain(queue, 5), 1);
  assert.deepEqual(
    kernel.waits.filter((wait) => wait > 0),
    [50],
  );
  kernel.time += 1000;
  sendTrain(queue, 5);
  assert.equal(kernel.waits.at(-1), 50);
});

test('another socket is waited for although one is stuck', () => {
  const kernel = new FakeKernel(() => -EAGAIN);
  const queue = kernel.queue();
  sendTrain(queue, 5);
  sendTrain(queue, 6);
  assert.deepEqual(kernel.waits, [50, 50]);
});

test('the packets of a train that has to be taken apart wait for room as the train would', () => {
  let calls = 0;
  let sent = 0;
  const kernel = new FakeKernel(() => {
    if (++calls === 1) return -EINVAL;
    if (calls % 2 === 0) return -EAGAIN;
    sent++;
    return 1;
  });
  kernel.hasRoom = true;
  assert.equal(sendTrain(kernel.queue(), 5), 0);
  assert.equal(sent, 10);
});
