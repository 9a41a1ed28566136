import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

import { CredentialsFile } from '../../src/sync/credentials-file.ts';
import { RackIdentity } from '../../src/sync/rack-identity.ts';
import { RackSecret } from '../../src/sync/rack-secret.ts';
import { RegionClient } from '../../src/sync/region-client.ts';
import { RegionFault } from '../../src/sync/region-fault.ts';
import { RegionLink } from '../../src/sync/region-link.ts';
import type { Question, RawAnswer } from '../../src/sync/transport.ts';
import type { EventBody } from '../../src/timeline/event.ts';
import { SlowTime } from './slow-time.ts';

export const RACK = '11111111-2222-4333-8444-555555555555';

type Reply = RawAnswer | RegionFault | 'never';

/** A region behind no wire: what it answers, by URL and path, is the test's to say. */
export class LinkRig {
  readonly time = new SlowTime();
  readonly told: EventBody[] = [];
  readonly asked: { readonly at: number; readonly url: string; readonly question: Question }[] = [];
  /** What is asked while it is here is answered by it. */
  delayed: Promise<RawAnswer> | undefined;
  reply: (url: string, question: Question) => Reply = () => ok({});
  readonly secret = RackSecret.create();
  readonly file: CredentialsFile;
  readonly identity: RackIdentity;
  readonly client: RegionClient;
  readonly link: RegionLink;
  /** What chance says, from 0 to 1. */
  random = 0.5;
  changes = 0;

  constructor(t: TestContext, urls: readonly string[] = ['https://a'], isEnrolled = true) {
    const directory = mkdtempSync(join(tmpdir(), 'rackboot-link-'));
    t.after(() => rmSync(directory, { recursive: true }));
    this.file = new CredentialsFile(join(directory, 'region.key'), directory);
    if (isEnrolled) this.file.write({ rack: RACK, key: this.secret });
    const events = { emit: (body: EventBody) => void this.told.push(body) };
    this.identity = new RackIdentity(this.file, events);
    this.client = new RegionClient(urls, (url) =>
      Promise.resolve({
        isOpen: true,
        close: () => undefined,
        ask: (question: Question) => this.#answer(url, question),
      }),
    );
    this.link = new RegionLink({
      clock: this.time,
      loop: this.time,
      events,
      random: () => this.random,
      client: this.client,
      identity: this.identity,
      changed: () => this.changes++,
    });
    t.after(() => this.link.close());
  }

  get kinds(): string[] {
    return this.told.map(({ kind }) => kind);
  }

  #answer(url: string, question: Question): Promise<RawAnswer> {
    this.asked.push({ at: this.time.monotonic(), url, question });
    if (this.delayed) return this.delayed;
    const reply = this.reply(url, question);
    if (reply === 'never') return new Promise(() => undefined);
    return reply instanceof RegionFault ? Promise.reject(reply) : Promise.resolve(reply);
  }
}

export function ok(body: unknown): RawAnswer {
  return { status: 200, text: JSON.stringify(body) };
}

export function away(reason = 'connect ECONNREFUSED'): RegionFault {
  return new RegionFault('away', reason);
}
