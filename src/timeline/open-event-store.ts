import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Clock } from '../system/clock.ts';
import { isDamage, setDatabaseAside } from '../system/database-file.ts';
import { messageOf } from '../system/message-of.ts';
import { SqliteEventStore, type EventBounds, type EventStore } from './event-store.ts';

/** Without a disk events are kept in memory, which is for other things. */
const MOST_BYTES_IN_MEMORY = 8 * 1024 * 1024;

export interface OpenedEvents {
  readonly store: EventStore;
  /** What is amiss with the file, in a plain sentence. */
  readonly fault?: string;
}

/** Opens or creates the file of events; never throws: it explains, and machines boot without it. A damaged one is set aside. */
export function openEventStore(file: string, clock: Pick<Clock, 'now'>, bounds: EventBounds): OpenedEvents {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return { store: new SqliteEventStore(file, clock, bounds) };
  } catch (error) {
    return isDamage(error) ? replace(file, clock, bounds, messageOf(error)) : stranded(file, clock, bounds, error);
  }
}

function replace(file: string, clock: Pick<Clock, 'now'>, bounds: EventBounds, reason: string): OpenedEvents {
  try {
    const setAside = setDatabaseAside(file, clock.now());
    const store = new SqliteEventStore(file, clock, bounds);
    return { store, fault: `${file} is damaged (${reason}): set aside as ${setAside}, and begun anew` };
  } catch (error) {
    return stranded(file, clock, bounds, error);
  }
}

function stranded(file: string, clock: Pick<Clock, 'now'>, bounds: EventBounds, error: unknown): OpenedEvents {
  const fault = `${file} can't be used (${messageOf(error)}): events are kept in memory until the next start, and not many`;
  return { store: new MemoryEventStore(clock, bounds), fault };
}

class MemoryEventStore extends SqliteEventStore {
  constructor(clock: Pick<Clock, 'now'>, bounds: EventBounds) {
    super(':memory:', clock, inMemory(bounds));
  }

  override bound(bounds: EventBounds): void {
    super.bound(inMemory(bounds));
  }
}

function inMemory({ milliseconds, bytes }: EventBounds): EventBounds {
  return { milliseconds, bytes: Math.min(bytes, MOST_BYTES_IN_MEMORY) };
}
