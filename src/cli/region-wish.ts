import { readFileSync } from 'node:fs';

import { parseDuration } from '../plan/duration.ts';
import type { RegionFlags } from '../region/region-config.ts';
import { deskOrderSchema, type DeskOrder } from '../region/region-desk.ts';

export interface RegionWords {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly 'password-file'?: string | undefined;
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  readonly valid: string;
  readonly list: boolean;
  readonly revoke?: string | undefined;
  readonly limit: string;
  readonly 'no-source': boolean;
}

/** What a command line says instead of the region's file. */
export interface RegionFlagWords {
  readonly state?: string | undefined;
  readonly database?: string | undefined;
  readonly listen?: string[] | undefined;
  readonly url?: string | undefined;
  readonly images?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly 'log-level'?: string | undefined;
}

/** As sections of that file. */
export function regionFlags(words: RegionFlagWords): RegionFlags {
  const { state, database, listen, url, images, certificate, key, 'log-level': level } = words;
  const tls = { ...(certificate !== undefined && { certificate }), ...(key !== undefined && { key }) };
  const sections = {
    ...(state !== undefined && { state }),
    ...(database !== undefined && { database }),
    ...(listen !== undefined && { listen }),
    ...(url !== undefined && { url }),
    ...(images !== undefined && { images }),
    ...(Object.keys(tls).length > 0 && { tls }),
    ...(level !== undefined && { log: { level } }),
  };
  // What is no word of the file is found when they are read
  return sections as RegionFlags;
}

/** What a command line asks of a region; a sentence where it asks for nothing there is. */
export function regionWish(
  verb: string | undefined,
  words: RegionWords,
  operands: readonly string[],
): DeskOrder | string {
  const wish = wishOf(verb, words, operands);
  if (typeof wish === 'string') return wish;
  const result = deskOrderSchema.safeParse(wish);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  return `${verb ?? ''}: ${issue?.path.map(String).join('.') ?? ''}: expected ${issue?.message ?? 'something else'}`;
}

function wishOf(
  verb: string | undefined,
  words: RegionWords,
  [action, operand, ...more]: readonly string[],
): object | string {
  const { username, name, valid, list, revoke, limit } = words;
  if (verb === 'racks' && action !== undefined) {
    if (operand === undefined || more.length > 0) return 'racks: expected remove NAME or rotate NAME';
    if (action === 'remove') return { kind: 'remove-rack', rack: operand };
    return action === 'rotate' ? { kind: 'rotate-key', rack: operand } : 'racks: expected remove NAME or rotate NAME';
  }
  if (action !== undefined) return `${verb ?? ''}: expected nothing more, found ${action}`;
  switch (verb ?? '') {
    case 'init':
      return { kind: 'init', source: !words['no-source'] };
    case 'createadmin':
      return createAdmin(words);
    case 'apikey':
      if (username === undefined) return 'apikey: expected --username';
      if (list) return { kind: 'apikeys', name: username };
      return revoke === undefined
        ? { kind: 'apikey', name: username }
        : { kind: 'revoke', name: username, key: Number(revoke) };
    case 'enrol-rack':
      return { kind: 'enrol-rack', ...(name !== undefined && { rack: name }), seconds: parseDuration(valid) ?? 0 };
    case 'racks':
      return { kind: 'racks' };
    case 'audit':
      return { kind: 'audit', limit: Number(limit) };
    default:
      return 'expected run, init, createadmin, apikey, enrol-rack, racks or audit';
  }
}

function createAdmin({ username, password, 'password-file': file, email }: RegionWords): object | string {
  if (username === undefined || email === undefined || (password === undefined) === (file === undefined)) {
    return 'createadmin: expected --username, --email, and --password or --password-file, or a terminal to ask at';
  }
  const secret = password ?? readFileSync(file ?? '', 'utf8').replace(/\r?\n$/, '');
  return { kind: 'createadmin', name: username, email, password: secret };
}
