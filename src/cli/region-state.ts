import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Database } from '../region/database/database.ts';
import { openEmbeddedDatabase } from '../region/database/embedded-database.ts';
import { openPostgresDatabase } from '../region/database/postgres-database.ts';
import { readRegionConfig, type RegionConfig, type RegionFlags } from '../region/region-config.ts';
import { loadLibc } from '../system/libc.ts';
import { lockDirectory } from '../system/lock-directory.ts';
import { messageOf } from '../system/message-of.ts';
import { RefusedError } from './control-client.ts';

const TRIES = 50;
const BETWEEN_TRIES = 200;

/** Where a region is found: its file, and what the command line says instead. */
export interface RegionPlace {
  readonly config: string;
  readonly flags: RegionFlags;
}

/** Who runs a command; `become`: from then on it is run by another. */
export interface Identity {
  readonly uid: number;
  become(uid: number, gid: number): void;
}

/** Undefined, with a line for each fault, where there are some. A file that is not there says nothing. */
export function loadRegionConfig(
  { config: file, flags }: RegionPlace,
  complain: (line: string) => void,
): RegionConfig | undefined {
  const config = readRegionConfig(existsSync(file) ? readFileSync(file, 'utf8') : '', file, flags);
  if (!('faults' in config)) return config;
  for (const fault of config.faults) complain(fault);
  return undefined;
}

/** Makes the region's directory. Root becomes whoever it belongs to, so that the server finds nothing in it that it may not write. */
export function enterState({ state }: RegionConfig, identity: Identity): void {
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const { uid, gid } = statSync(state);
  if (identity.uid === 0 && uid !== 0) identity.become(uid, gid);
}

/** Makes the region's directory this process's own; false where another has it. */
export function lockState({ state }: RegionConfig): boolean {
  return lockDirectory(loadLibc(), state);
}

/**
 * Tries until `attempt` gives something: another that starts, stops or obeys a command has the directory for no longer than that.
 * Throws a sentence when one keeps it.
 */
export async function patiently<T>({ state }: RegionConfig, attempt: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 1; ; tries++) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (tries === TRIES) throw new RefusedError(`another process has ${state}`);
    await sleep(BETWEEN_TRIES);
  }
}

/** Throws a sentence when it can't be had. */
export async function openRegionDatabase(
  { database, state }: RegionConfig,
  complain: (error: unknown) => void,
): Promise<Database> {
  if (database === 'embedded') return openEmbeddedDatabase(join(state, 'database'));
  const url = database.reveal((file) => readFileSync(file, 'utf8'));
  try {
    return await openPostgresDatabase(url, complain);
  } catch (error) {
    throw new Error(`the database ${database.toString()} can not be had: ${messageOf(error)}`, { cause: error });
  }
}
