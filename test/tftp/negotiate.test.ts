import assert from 'node:assert/strict';
import { test } from 'node:test';
import { negotiate, type Agreement } from '../../src/tftp/negotiate.ts';
import type { TftpOptions } from '../../src/wire/tftp/options.ts';

interface Case {
  readonly title: string;
  readonly options: TftpOptions;
  readonly mode?: string;
  readonly agreement: Agreement;
}

const cases: readonly Case[] = [
  {
    title: 'without options there is no OACK, and blocks hold 512',
    options: {},
    agreement: { blockSize: 512, windowSize: 1 },
  },
  {
    title: 'a block that fits is taken as it is',
    options: { blksize: 1024 },
    agreement: { blockSize: 1024, windowSize: 1, oack: { blksize: 1024 } },
  },
  {
    title: 'a block that would be fragmented is made smaller',
    options: { blksize: 8192 },
    agreement: { blockSize: 1468, windowSize: 1, oack: { blksize: 1468 } },
  },
  {
    title: 'the size is told whatever the client put there',
    options: { tsize: 5 },
    agreement: { blockSize: 512, windowSize: 1, oack: { tsize: 777 } },
  },
  {
    title: 'the size is not told in netascii, where it would be another, and alone brings no OACK',
    options: { tsize: 0 },
    mode: 'netascii',
    agreement: { blockSize: 512, windowSize: 1 },
  },
  {
    title: 'the timeout is taken in seconds',
    options: { timeout: 7 },
    agreement: { blockSize: 512, windowSize: 1, resendAfter: 7000, oack: { timeout: 7 } },
  },
  {
    title: 'a window is taken up to what one system call sends',
    options: { windowsize: 65535 },
    agreement: { blockSize: 512, windowSize: 64, oack: { windowsize: 64 } },
  },
];

for (const { title, options, mode = 'octet', agreement } of cases) {
  test(title, () => {
    assert.deepEqual(negotiate({ type: 'rrq', file: 'a', mode, options }, 777), agreement);
  });
}
