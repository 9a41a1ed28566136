import { spawnSync } from 'node:child_process';

import koffi from 'koffi';

const CLONE_NEWNET = 0x40000000;

/** Why a test can't have a network of its own; false when it can. */
export function noOwnNetwork(): string | false {
  if (process.geteuid?.() !== 0) return 'network namespaces need root';
  return spawnSync('ip', ['-Version']).error ? 'needs ip (Debian: iproute2)' : false;
}

/**
 * Moves this thread, and what it starts from now on, into a network of its own, which goes when the process goes:
 * `left` and `right` are the two ends of one wire. For a test file that runs in a process of its own.
 */
export function enterOwnNetwork(): void {
  const unshare = koffi.load('libc.so.6').func('int unshare(int)') as (flags: number) => number;
  if (unshare(CLONE_NEWNET) !== 0) throw new Error('unshare failed');
  ip('link set lo up');
  ip('link add left address 02:00:00:00:00:0a type veth peer name right address 02:00:00:00:00:0b');
  ip('link set left up');
  ip('link set right up');
}

export function ip(words: string): void {
  const { status, stderr } = spawnSync('ip', words.split(' '), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${words}: ${stderr}`);
}
