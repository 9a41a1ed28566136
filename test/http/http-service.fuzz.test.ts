import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { ask, HttpRack } from './http-rack.ts';
import { HttpGrammar } from './http-grammar.ts';

const ROUNDS = Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 20_000);
/** Connections at a time. */
const AT_ONCE = 32;
const SECRET = 'outside-of-all-trees';
/** Longer than anything of ours may keep a connection whose client has said all. */
const PATIENCE = 20_000;

interface Outcome {
  readonly answers: Readonly<Record<string, number>>;
  readonly unfinished: number;
}

test(`none of ${ROUNDS} malformed requests gets the service down, out of its trees, or to keep anything`, async (t) => {
  const rack = new HttpRack(t, {
    small: 'hello',
    middle: Buffer.alloc(100_000, 'm'),
    large: Buffer.alloc(1_100_000, 'l'),
    'debian/vmlinuz': 'kernel',
  });
  writeFileSync(join(rack.directory, 'secret'), SECRET);
  symlinkSync('../secret', join(rack.files, 'link'));
  symlinkSync('..', join(rack.files, 'up'));
  mkdirSync(join(rack.files, 'directory'));

  const fuzz = new Fuzz(rack);
  await fuzz.run(Math.ceil(ROUNDS / 5));
  await quiet(rack);
  const before = { held: heldMemory(), fds: descriptors(), rss: process.memoryUsage.rss() };
  await fuzz.run(ROUNDS);
  await quiet(rack);
  rack.events.length = 0;
  const after = { held: heldMemory(), fds: descriptors(), rss: process.memoryUsage.rss() };

  t.diagnostic(JSON.stringify(fuzz.outcome()));
  t.diagnostic(JSON.stringify(rack.service.counters()));
  t.diagnostic(`held ${before.held} → ${after.held}, resident ${before.rss} → ${after.rss} bytes`);
  assert.equal(fuzz.outcome().unfinished, 0, 'connections that did not end');
  assert.ok(after.fds <= before.fds, `descriptors: ${before.fds} before, ${after.fds} after`);
  assert.ok(after.held - before.held < 8 << 20, `memory grew by ${after.held - before.held} bytes`);
  for (const status of ['200', '206', '304', '400', '403', '404', '405', '412', '416', '417', '431', '501', '505']) {
    assert.ok((fuzz.outcome().answers[status] ?? 0) > 0, `no answer had status ${status}`);
  }
  assert.equal((await ask(rack, '/small')).body.toString(), 'hello');
  assert.equal((await ask(rack, '/large')).body.length, 1_100_000);
});

class Fuzz {
  readonly #rack: HttpRack;
  readonly #grammar = new HttpGrammar(80);
  readonly #answers: Record<string, number> = {};
  #unfinished = 0;

  constructor(rack: HttpRack) {
    this.#rack = rack;
  }

  outcome(): Outcome {
    return { answers: this.#answers, unfinished: this.#unfinished };
  }

  /** Until so many requests are made in all. */
  async run(requests: number): Promise<void> {
    const one = async (): Promise<void> => {
      while (this.#grammar.requests < requests) {
        await this.#converse(this.#grammar.next(), this.#grammar.below(16));
        this.#rack.events.length = 0;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
  }

  /** `manner`: hang up in the midst, write in two pieces, or wait for the end. */
  #converse(bytes: Buffer, manner: number): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect({ port: this.#rack.port, host: '127.0.0.1', localAddress: `127.0.0.${2 + manner}` });
      const chunks: Buffer[] = [];
      const timer = setTimeout(() => {
        this.#unfinished++;
        socket.destroy();
      }, PATIENCE);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        if (manner === 0) socket.resetAndDestroy();
      });
      socket.once('close', () => {
        clearTimeout(timer);
        this.#judge(bytes, Buffer.concat(chunks));
        resolve();
      });
      if (manner === 1) {
        socket.write(bytes.subarray(0, bytes.length / 2));
        setImmediate(() => socket.end(bytes.subarray(bytes.length / 2)));
      } else socket.end(bytes);
    });
  }

  #judge(asked: Buffer, answered: Buffer): void {
    const text = answered.toString('latin1');
    const shown = JSON.stringify(asked.toString('latin1').slice(0, 2000));
    assert.ok(!text.includes(SECRET), `the secret for ${shown}`);
    assert.ok(!text.includes('root:x:0'), `/etc/passwd for ${shown}`);
    assert.ok(text === '' || text.startsWith('HTTP/1.1 '), `no answer but ${text.slice(0, 100)} for ${shown}`);
    for (const head of text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z][^]*?\r\n\r\n/g)) {
      const [whole, status = ''] = head;
      this.#answers[status] = (this.#answers[status] ?? 0) + 1;
      if (status !== '100' && status !== '304' && status !== '204')
        assert.match(whole, /^Content-Length: \d+$/m, shown);
      assert.doesNotMatch(whole, /^Transfer-Encoding/m, shown);
    }
  }
}

async function quiet(rack: HttpRack): Promise<void> {
  await rack.until(() => rack.service.counters()['connections'] === 0 && rack.service.counters()['sending'] === 0);
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Bytes held after a full collection. */
function heldMemory(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
