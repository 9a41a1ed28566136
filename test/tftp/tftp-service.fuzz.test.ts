import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import type { TftpPacket } from '../../src/wire/tftp/packet.ts';
import { fuzz } from '../wire/fuzz.ts';
import { TestRack, type TestClient } from './test-rack.ts';

const ROUNDS = Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 50_000);
const SECRET = 'not for any client';
const CLIENTS = 40;

const NAMES = ['kernel', 'empty', 'note.txt', 'KERNEL', 'up/secret', 'link', 'grub/i386-pc/fs.lst', 'boot.ipxe'];
const CLIMBING = ['../secret', '/../../secret', '..\\secret', 'up/files/../secret', '/etc/passwd', './/../secret'];
const OPTIONS = [
  '',
  'tsize\x000\0blksize\x001468\0',
  'BLKSIZE\x008\0windowsize\x0064\0timeout\x001\0',
  'windowsize\x004\0',
];

const requests = [...NAMES, ...CLIMBING].flatMap((name) => {
  return OPTIONS.map((options) => `\0\x01${name}\0octet\0${options}`);
});
const others = [
  '\0\x01note.txt\0netascii\0',
  '\0\x02kernel\0octet\0',
  '\0\x03\0\x01data',
  '\0\x04\0\0',
  '\0\x04\0\x01',
  '\0\x04\0\x08',
  '\0\x04\xff\xff',
  '\0\x05\0\x08options refused\0',
  '\0\x06tsize\x000\0',
];
const SEEDS = [...requests, ...others].map((latin1) => Uint8Array.from(Buffer.from(latin1, 'latin1')));

test(`none of ${ROUNDS} packets stops the service, leaves anything open or brings out what is not served`, (t) => {
  const kernel = new Uint8Array(40_000);
  const rack = new TestRack(t, {
    secret: SECRET,
    'files/kernel': kernel,
    'files/empty': '',
    'files/note.txt': 'a\nb\n',
  });
  const files = join(rack.files, 'files');
  symlinkSync('../secret', join(files, 'link'));
  symlinkSync('..', join(files, 'up'));
  rack.service.apply(rack.plan(files), [rack.handle]);
  const clients = Array.from({ length: CLIENTS }, (_, i) => new FuzzClient(rack.client(2000 + i)));
  let round = 0;
  const run = (bytes: Uint8Array): void => {
    clients[(round * 7) % CLIENTS]?.act(round, bytes.slice());
    if (++round % 64 === 0) pass(rack, (round * 31) % 3000);
  };
  const { growth } = fuzz({ seeds: SEEDS, rounds: ROUNDS, seed: 1350, run });
  for (let minutes = 0; minutes < 30; minutes++) pass(rack, 60_000);
  rack.assertIdle();
  const counters = rack.service.counters();
  for (const name of [
    'sent',
    'failed',
    'refused.not-found',
    'refused.forbidden',
    'refused.bad-packet',
    'refused.write',
  ]) {
    assert.ok((counters[name] ?? 0) > 0, `${name}: ${JSON.stringify(counters)}`);
  }
  const client = rack.client(1999);
  assert.equal(client.readOn(client.request('kernel')).length, 40_000);
  t.diagnostic(`memory grew by ${growth} bytes after the first tenth; ${JSON.stringify(counters)}`);
});

/** Time goes by; what only the test would keep is let go. */
function pass(rack: TestRack, milliseconds: number): void {
  rack.loop.advance(milliseconds);
  rack.takeEvents();
  const { transferSockets } = rack.wire;
  transferSockets.splice(0, transferSockets.length, ...rack.wire.open);
}

/** A client that mixes what it should send with what it should not. */
class FuzzClient {
  readonly #client: TestClient;
  #last: TftpPacket | undefined;

  constructor(client: TestClient) {
    this.#client = client;
  }

  act(round: number, bytes: Uint8Array): void {
    const heard = [...this.#client.heard(), ...this.#speak(round % 4, bytes)];
    for (const packet of heard) {
      const isSecret = packet.type === 'data' && Buffer.from(packet.data).includes(SECRET);
      assert.ok(!isSecret, `a file from outside came out for ${Buffer.from(bytes).toString('latin1')}`);
    }
    this.#last = heard.at(-1) ?? this.#last;
  }

  #speak(what: number, bytes: Uint8Array): readonly TftpPacket[] {
    if (what < 2 || !this.#isServed) return this.#client.ask(bytes);
    if (what === 2) return this.#client.tell(bytes);
    return this.#client.ack(this.#last?.type === 'data' ? this.#last.block : 0);
  }

  /** A transfer to this client is open. */
  get #isServed(): boolean {
    if (this.#last === undefined || this.#last.type === 'error') return false;
    return !this.#client.server.closed;
  }
}
