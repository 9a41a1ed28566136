import { posix } from 'node:path';

import { StreamError } from './streams/stream-error.ts';
import { shown } from './streams/stream-json.ts';

/** POSIX.1-1988 ustar: blocks of so many bytes. */
const BLOCK = 512;
const MOST_MEMBERS = 1_000;

/** A regular file in an archive; where it lay in there does not matter. */
export interface TarMember {
  /** Last part of its path. */
  readonly name: string;
  readonly content: Uint8Array;
}

/**
 * The regular files of a tar, by the last part of their paths: nothing in an archive decides where anything is written. Links,
 * devices and directories are passed over. Total: throws StreamError for what is no tar; `file` is for messages.
 */
export function readTar(bytes: Uint8Array, file: string): TarMember[] {
  const members: TarMember[] = [];
  let at = 0;
  let longName: string | undefined;
  while (at + BLOCK <= bytes.length && !isEnd(bytes, at)) {
    const header = bytes.subarray(at, at + BLOCK);
    const size = octal(header, 124, 12);
    if (!hasChecksum(header) || size === undefined || at + BLOCK + size > bytes.length) {
      throw new StreamError(`${file}: expected a tar archive, found something else at byte ${at}`);
    }
    const content = bytes.subarray(at + BLOCK, at + BLOCK + size);
    const type = String.fromCharCode(header[156] ?? 0);
    // GNU's long names, and POSIX's, come as a member ahead of the one they are for
    if (type === 'L') longName = text(content, 0, size);
    else if (type === 'x')
      longName = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(Buffer.from(content).toString())?.[1] ?? longName;
    else {
      if (type === '0' || type === '\0')
        members.push({ name: nameOf(longName ?? text(header, 0, 100), file), content });
      longName = undefined;
    }
    if (members.length > MOST_MEMBERS) throw new StreamError(`${file}: expected at most ${MOST_MEMBERS} files in it`);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return members;
}

function nameOf(path: string, file: string): string {
  const name = posix.basename(path);
  if (/^(?!\.{1,2}$)[A-Za-z0-9._+-]{1,100}$/.test(name)) return name;
  throw new StreamError(`${file}: expected names of letters, digits and ._+-, found ${shown(path)}`);
}

function isEnd(bytes: Uint8Array, at: number): boolean {
  return bytes.subarray(at, at + BLOCK).every((byte) => byte === 0);
}

/** The sum of all bytes of the header, with its own field as blanks. */
function hasChecksum(header: Uint8Array): boolean {
  const sum = header.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  return octal(header, 148, 8) === sum;
}

function octal(header: Uint8Array, at: number, length: number): number | undefined {
  const digits = text(header, at, length).trim();
  return /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function text(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('latin1');
}
