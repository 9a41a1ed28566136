import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Clock } from '../system/clock.ts';
import { isDamage, setDatabaseAside } from '../system/database-file.ts';
import { messageOf } from '../system/message-of.ts';
import { Outbox, OutboxFileError, type OutboxBounds } from './outbox.ts';

/** Of what waits in memory only. */
const MOST_IN_MEMORY = 16 * 2 ** 20;

/** A start must not wait for the disk. */
const MOST_CHECKED = 64 * 2 ** 20;

export interface OpenedOutbox {
  readonly outbox: Outbox;
  /** A damaged file was set aside: the stream begins anew. */
  readonly replaced?: { readonly reason: string; readonly setAside: string };
  /** Why what waits is in memory only, until the next start. */
  readonly fault?: string;
}

/** Opens or creates the outbox; never throws: the region is told without a disk as well. */
export function openOutbox(file: string, clock: Clock, bounds: OutboxBounds): OpenedOutbox {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return { outbox: sound(file, clock, bounds) };
  } catch (error) {
    const reason = messageOf(error);
    if (!(error instanceof OutboxFileError) && !isDamage(error)) return inMemory(clock, bounds, reason);
    return replace(file, clock, bounds, reason);
  }
}

function replace(file: string, clock: Clock, bounds: OutboxBounds, reason: string): OpenedOutbox {
  try {
    const setAside = setDatabaseAside(file, clock.now());
    return { outbox: new Outbox(file, clock, bounds), replaced: { reason, setAside } };
  } catch (error) {
    return inMemory(clock, bounds, `${reason}; ${messageOf(error)}`);
  }
}

/** Of a damaged file that opens, reading tells; a large one is not read for that: damage shows when it is used. */
function sound(file: string, clock: Clock, bounds: OutboxBounds): Outbox {
  const outbox = new Outbox(file, clock, bounds);
  try {
    if (statSync(file).size <= MOST_CHECKED) outbox.check();
    return outbox;
  } catch (error) {
    outbox.close();
    throw error;
  }
}

function inMemory(clock: Clock, { bytes, milliseconds }: OutboxBounds, fault: string): OpenedOutbox {
  const bounds = { milliseconds, bytes: Math.min(bytes, MOST_IN_MEMORY) };
  return { outbox: new Outbox(':memory:', clock, bounds), fault };
}
