import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Asks a child to end, ends it after `patience` milliseconds, and waits until it has. */
export async function stopProcess(child: ChildProcess, patience = 3000): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), patience);
  await ended;
  clearTimeout(late);
}
