import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { StreamError } from './streams/stream-error.ts';
import { readTar, type TarMember } from './read-tar.ts';

/** GRUB and shim are a few MB each; what unpacks to more is no loader. */
const LARGEST_ARCHIVE = 64 * 2 ** 20;

/**
 * The files in a .tar.xz. Node unpacks no xz, and a decoder of our own would be one more thing that reads what comes from
 * outside: xz does it, in a process of its own, which is there wherever Debian's dpkg-deb or tar had to read a package.
 * Throws StreamError; `name` is for messages.
 */
export async function unpackArchive(file: string, name: string, signal: AbortSignal): Promise<TarMember[]> {
  const child = spawn('xz', ['--decompress', '--stdout', '--memlimit-decompress=256MiB', '--', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const failed = ended.then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
  const complaint: Uint8Array[] = [];
  child.stderr.on('data', (chunk: Uint8Array) => complaint.push(chunk));
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of child.stdout as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > LARGEST_ARCHIVE) {
      child.kill();
      throw new StreamError(`${name}: expected an archive of at most ${LARGEST_ARCHIVE} bytes, found more`);
    }
    parts.push(chunk);
  }
  const error = await failed;
  signal.throwIfAborted();
  if (error)
    throw new StreamError(
      `${name}: ${error.code === 'ENOENT' ? 'unpacking it takes the program xz (Debian package xz-utils)' : error.message}`,
    );
  if (child.exitCode !== 0)
    throw new StreamError(`${name}: not what xz unpacks: ${Buffer.concat(complaint).toString().trim().slice(0, 200)}`);
  return readTar(Buffer.concat(parts), name);
}
