import type { Socket } from 'node:net';

import type { Libc } from '../system/libc.ts';
import { readTcpProgress, readTcpWritten } from '../system/tcp-progress.ts';
import { descriptorOf } from './descriptor-of.ts';

const LOOK_EVERY = 50;
/** A peer that acknowledges nothing for so long has gone. Milliseconds. */
const PATIENCE = 60_000;

/**
 * Calls back once, with whether the peer has acknowledged all that was written so far: the kernel takes some megabytes off
 * our hands before the first of them arrives, so that "sent" alone may be a machine that lost its power.
 */
export function whenTaken(libc: Libc, socket: Socket, settled: (isTaken: boolean) => void): void {
  const fd = duplicate(libc, socket);
  // Gone already, and without an error: all of it was acknowledged, or nobody can say
  if (fd === undefined) return settled(true);
  // Asked of the kernel, as Node does not know what went past it
  const written = readTcpWritten(libc, fd) ?? 0;
  const end = performance.now() + PATIENCE;
  const look = (): void => {
    const progress = readTcpProgress(libc, fd);
    const isTaken = !progress || progress.acknowledged >= written;
    if (!isTaken && !progress.isOver && performance.now() < end) {
      setTimeout(look, LOOK_EVERY).unref();
      return;
    }
    libc.close(fd);
    settled(isTaken);
  };
  look();
}

/** Node closes its own when it has written the last byte of a connection that is not kept. */
function duplicate(libc: Libc, socket: Socket): number | undefined {
  const original = descriptorOf(socket);
  if (original === undefined) return undefined;
  const fd = libc.dup(original);
  return fd < 0 ? undefined : fd;
}
