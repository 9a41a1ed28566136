import { createHash } from 'node:crypto';

import { RACK_PATHS } from '../contract/paths.ts';
import { enrolledSchema } from '../contract/rack-words.ts';
import type { Credentials, CredentialsFile } from './credentials-file.ts';
import { RackSecret } from './rack-secret.ts';
import { readAnswer } from './read-answer.ts';
import { RegionFault } from './region-fault.ts';
import type { Transport } from './transport.ts';

const ANSWER_WITHIN = 30_000;
const MOST_ANSWER = 64 * 1024;

export interface EnrolWish {
  readonly token: string;
  /** The rack's. */
  readonly name: string;
  readonly version: string;
  /** Where the region may be: the next is asked when one can't be reached. */
  readonly urls: readonly string[];
}

export interface Enrolled {
  readonly rack: string;
  readonly url: string;
}

/**
 * Makes a key, writes it down, and has the region take this rack for one of its own by it. Where the answer is lost the same call does
 * it, as the file still has the key: the region gives the same answer to the same token and key. Rejects with RegionFault, or with
 * what the disk says. What the file said before counts until the region has answered.
 */
export async function enrol(
  { token, name, version, urls }: EnrolWish,
  file: CredentialsFile,
  connect: (url: string) => Promise<Transport>,
): Promise<Enrolled> {
  const { pending, ...before } = file.read();
  const hash = createHash('sha256').update(token).digest('hex');
  const key = pending?.token === hash ? pending.key : RackSecret.create();
  file.write({ ...before, pending: { key, token: hash, url: urls[0] ?? '' } });
  const body = JSON.stringify({ token, keyHash: key.hash, name, version });
  try {
    const { rack, url } = await askOneOf(urls, body, connect, (text) => key.hideIn(text).replaceAll(token, '[token]'));
    file.write({ rack, key, url, ...rotatedOf(before, rack) });
    return { rack, url };
  } catch (error) {
    // It is not on its way: nobody is to wait for it
    if (error instanceof RegionFault && error.kind !== 'away') file.write(before);
    throw error;
  }
}

async function askOneOf(
  urls: readonly string[],
  body: string,
  connect: (url: string) => Promise<Transport>,
  hide: (text: string) => string,
): Promise<Enrolled> {
  let last = new RegionFault('away', 'there is no URL to ask');
  for (const url of urls) {
    try {
      return { rack: await ask(url, body, connect, hide), url };
    } catch (error) {
      if (!(error instanceof RegionFault) || error.kind !== 'away') throw error;
      last = new RegionFault('away', `${url}: ${error.message}`);
    }
  }
  throw last;
}

async function ask(
  url: string,
  body: string,
  connect: (url: string) => Promise<Transport>,
  hide: (text: string) => string,
): Promise<string> {
  const transport = await connect(url);
  try {
    const question = {
      method: 'POST',
      path: RACK_PATHS.enrol,
      body,
      within: ANSWER_WITHIN,
      most: MOST_ANSWER,
    } as const;
    return readAnswer(await transport.ask(question), enrolledSchema, hide).rack;
  } finally {
    transport.close();
  }
}

/** The same rack has obeyed what it has obeyed. */
function rotatedOf(before: Credentials, rack: string): Pick<Credentials, 'rotated'> {
  return before.rack === rack && before.rotated !== undefined ? { rotated: before.rotated } : {};
}
