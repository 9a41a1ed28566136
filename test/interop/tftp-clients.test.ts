import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { after, before, describe, test } from 'node:test';

import { BadCable } from './bad-cable.ts';
import { RACK, RackRig, reasonToSkip } from './rack-rig.ts';

/** How a client fetches `remote` into `local`. */
interface Client {
  readonly title: string;
  readonly package: string;
  readonly argv: (remote: string, local: string) => readonly string[];
  /** Why it can't do with a wire that loses packets. */
  readonly needsGoodWire?: string;
  /** It takes the size 0 in an OACK for a fault, so it can't have an empty file. */
  readonly noEmptyFile?: true;
  /** What it says when it gives up on a wire that doubles packets; it is then started again, as a ROM starts again. */
  readonly givesUp?: RegExp;
}

const TFTP2 = join(import.meta.dirname, 'tftp2-client.ts');

/** curl, tftp-hpa, busybox and tftp2 know no windows; tftp-hpa and tftp2 no options at all. */
const CLIENTS: readonly Client[] = [
  curl('curl without options', '--tftp-no-options'),
  // A third of the time for the connection is what it asks for as `timeout`, and then waits for at each loss
  { ...curl('curl with options', '--tftp-blksize', '1468', '--connect-timeout', '6'), noEmptyFile: true },
  {
    title: 'tftp-hpa',
    package: 'tftp-hpa',
    argv: (remote, local) => ['tftp', '-m', 'binary', RACK, '-c', 'get', remote, local],
  },
  atftp('atftp without options'),
  atftp('atftp with a window of 4', 'windowsize 4', 'blksize 1468'),
  atftp('atftp with a window of 16', 'windowsize 16', 'tsize'),
  atftp('atftp with a window of 64', 'windowsize 64', 'blksize 1468', 'tsize'),
  busybox('busybox', '512'),
  busybox('busybox with blksize', '1468'),
  {
    title: 'tftp2',
    package: 'iproute2',
    argv: (remote, local) => [execPath, TFTP2, RACK, remote, local],
    needsGoodWire: 'never repeats a request or an ACK, so one that is lost is its end',
  },
];

function curl(title: string, ...options: readonly string[]): Client {
  const argv = (remote: string, local: string): string[] => {
    return ['curl', '--silent', '--show-error', ...options, '--output', local, `tftp://${RACK}/${remote}`];
  };
  return { title, package: 'curl', argv };
}

function atftp(title: string, ...options: readonly string[]): Client {
  const argv = (remote: string, local: string): string[] => {
    const asked = options.flatMap((option) => ['--option', option]);
    return ['atftp', '--tftp-timeout', '1', ...asked, '--get', '--remote-file', remote, '--local-file', local, RACK];
  };
  // An OACK that comes twice ends it
  return { title, package: 'atftp', argv, givesUp: /unexpected OACK/ };
}

function busybox(title: string, blockSize: string): Client {
  const argv = (remote: string, local: string): string[] => {
    return ['busybox', 'tftp', '-b', blockSize, '-g', '-r', remote, '-l', local, RACK];
  };
  return { title, package: 'busybox-static', argv };
}

const SIZES = [0, 1, 511, 512, 513, 1468, 1468 * 20, 70_003];
/** More than 65,535 blocks of 512 bytes, so that their numbers begin anew. */
const ROLLOVER = 65_536 * 512 + 1000;

function sizesOf(files: string): void {
  for (const size of SIZES) writeFileSync(join(files, `of-${size}`), someBytes(size));
}

/** Bytes that differ from block to block, whatever the block size. */
function someBytes(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => (at * 7 + (at >>> 8) * 31 + (at >>> 17)) & 255);
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Fetches each file and compares it; what the client says is told when one differs. */
async function fetchAll(rig: RackRig, client: Client): Promise<void> {
  const sizes = client.noEmptyFile ? SIZES.filter((size) => size > 0) : SIZES;
  for (const size of sizes) await fetchAndCompare(rig, client, `of-${size}`);
}

async function fetchAndCompare(rig: RackRig, client: Client, remote: string): Promise<void> {
  const local = join(rig.directory, `${client.title.replaceAll(' ', '-')}-${remote}`);
  const fetch = () => rig.client('timeout', '60', ...client.argv(remote, local));
  let { code, output } = await fetch();
  for (let tries = 1; tries < 4 && client.givesUp?.test(output); tries++) ({ code, output } = await fetch());
  assert.equal(code, 0, `${client.title} ${remote}: ${output}`);
  assert.equal(sha256(local), sha256(join(rig.files, remote)), `${client.title} ${remote}: ${output}`);
  rmSync(local);
}

const noNetwork = await reasonToSkip();

describe('over a wire that loses, doubles and reorders 3 % each way', { skip: noNetwork, timeout: 90_000 }, () => {
  let rig: RackRig;
  let cable: BadCable;

  before(async () => {
    rig = await RackRig.create('loss');
    sizesOf(rig.files);
    cable = await BadCable.lay(rig, 3, 20_261_122);
    await rig.start();
  });

  after(async () => {
    await cable[Symbol.asyncDispose]();
    await rig[Symbol.asyncDispose]();
  });

  describe('every file comes as it is on disk', { concurrency: true }, () => {
    for (const client of CLIENTS) {
      test(`by ${client.title}`, async (t) => {
        const reason = client.needsGoodWire ?? (await reasonToSkip(client.package));
        if (reason !== false) return t.skip(reason);
        await fetchAll(rig, client);
        return undefined;
      });
    }

    test('by curl over HTTP, whole and in ranges', async (t) => {
      const reason = await reasonToSkip('curl');
      if (reason !== false) return t.skip(reason);
      const url = `http://${RACK}:5248/of-70003`;
      const [whole, part] = [join(rig.directory, 'whole'), join(rig.directory, 'part')];
      const get = async (local: string, ...options: readonly string[]): Promise<void> => {
        const { code, output } = await rig.client('curl', '--silent', '--show-error', ...options, '-o', local, url);
        assert.equal(code, 0, output);
      };
      const content = readFileSync(join(rig.files, 'of-70003'));
      await get(whole);
      assert.equal(sha256(whole), sha256(join(rig.files, 'of-70003')));
      for (const [range, from, to] of [
        ['0-0', 0, 1],
        ['1000-60000', 1000, 60_001],
        ['-5', 69_998, 70_003],
        ['69000-', 69_000, 70_003],
      ] as const) {
        await get(part, '--range', range);
        assert.deepEqual(readFileSync(part), content.subarray(from, to), range);
      }
      return undefined;
    });
  });

  test('the trouble was real: the rack sent packets again, and gave up on no client', async () => {
    const events = await rig.events();
    const reasons = events.flatMap((event) => (event.kind === 'tftp.failed' ? [event.reason] : []));
    assert.deepEqual(
      reasons.filter((reason) => !reason.startsWith('the client gave up')),
      [],
    );
    const again = events.reduce((sum, event) => sum + (event.kind === 'tftp.sent' ? event.retransmitted : 0), 0);
    assert.ok(again > 20, `${again} packets were sent again`);
  });
});

describe('over a good wire', { skip: noNetwork, timeout: 90_000 }, () => {
  let rig: RackRig;

  before(async () => {
    rig = await RackRig.create('good');
    sizesOf(rig.files);
    writeFileSync(join(rig.files, 'rollover'), someBytes(ROLLOVER));
    await rig.start();
  });

  after(() => rig[Symbol.asyncDispose]());

  for (const client of CLIENTS) {
    test(`every file comes by ${client.title}`, async (t) => {
      const reason = await reasonToSkip(client.package);
      if (reason !== false) return t.skip(reason);
      await fetchAll(rig, client);
      return undefined;
    });
  }

  test('hardly a packet of all that was sent twice', async () => {
    const events = await rig.events();
    const again = events.reduce((sum, event) => sum + (event.kind === 'tftp.sent' ? event.retransmitted : 0), 0);
    // None, unless a client was kept from running for a quarter of a second
    assert.ok(again < 100, `${again} packets were sent again`);
  });

  // busybox and tftp-hpa would do it too, but wait for each of 65,000 blocks by turns
  for (const client of [
    atftp('atftp with a window of 64', 'windowsize 64'),
    atftp('atftp with a window of 16', 'windowsize 16'),
  ]) {
    test(`a file of more than 65,535 blocks comes by ${client.title}`, async (t) => {
      const reason = await reasonToSkip(client.package);
      if (reason !== false) return t.skip(reason);
      await fetchAndCompare(rig, client, 'rollover');
      return undefined;
    });
  }
});
