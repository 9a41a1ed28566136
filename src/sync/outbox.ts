import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

import type { Clock } from '../system/clock.ts';
import { inTransaction } from '../system/database-file.ts';
import { leaveRoom } from '../system/leave-room.ts';

/** What is to be told to the region, before it has a number. */
export interface NewRecord {
  /** A JSON object as text, without its number. */
  readonly body: string;
  /** It says what became of a lease: a whole telling of leases takes its place. */
  readonly isLease: boolean;
}

export interface StoredRecord {
  readonly number: number;
  readonly body: string;
}

/** What was given up for want of room or time, since the stream began. */
export interface Forgotten {
  readonly count: number;
  /** When the last of it was, Unix milliseconds, as the clock said when it was given up. */
  readonly before: number;
}

/** What the rack's process handed over: told twice, it is taken once. */
export interface Letter {
  /** Of the process. */
  readonly life: string;
  /** Of the letter in it: grows. */
  readonly number: number;
}

export interface OutboxBounds {
  /** That a record waits while the rack runs. */
  readonly milliseconds: number;
  readonly bytes: number;
}

export interface Waiting {
  readonly count: number;
  /** When the first of it was, Unix milliseconds, by the clock as it is set now. */
  readonly oldest?: number;
}

export interface Addition {
  readonly records: readonly NewRecord[];
  readonly letter?: Letter;
  /** Given up before it came here. */
  readonly forgotten?: Forgotten;
  /** The records begin a whole telling of leases: those that still wait are worth nothing any more. */
  readonly beginsTelling?: boolean;
}

/** Trimming takes its time from the thread that sends: the rest has until the next time. */
const MOST_AT_ONCE = 20_000;
/** What is too much is cut to this share, so that cutting is seldom. */
const SHARE_KEPT = 0.95;
/** What is written down of the wall clock may be wrong by this much, so that it is written seldom. */
const WALL_DRIFT = 60_000;
/** How long records have waited is on disk after so long, also where nothing else is written. */
const RAN_EVERY = 60_000;
const SCHEMA_VERSION = 2;

/*
 * `stream.ran` and `record.at`: milliseconds that this file was open in all, by the monotonic clock. So a wall clock that is set, while we
 * run or not, makes no record older; nor does it age while the rack is off. `wall`: from record `first` on, until the next row, the wall
 * clock was ahead of that by so much, as it was set last while the same process ran.
 *
 * AUTOINCREMENT: a number is given once, also where all records before it are gone. Of a power cut's last moment nothing may be lost
 * that was sent: its numbers would be given again, and the region would take the new records for ones that it has. So commits are
 * synchronous.
 */
const SCHEMA = `
  CREATE TABLE record (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, lease INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE INDEX record_lease ON record (number) WHERE lease;
  CREATE TABLE stream (uuid TEXT NOT NULL, forgotten INTEGER NOT NULL, before INTEGER NOT NULL, life TEXT NOT NULL, letter INTEGER NOT NULL, waiting INTEGER NOT NULL, ran INTEGER NOT NULL) STRICT;
  CREATE TABLE wall (first INTEGER PRIMARY KEY, ahead INTEGER NOT NULL) STRICT;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** In version 1 `at` was wall time. That goes on from the newest record, as if it had come just now. */
const FROM_VERSION_1 = `
  CREATE TABLE wall (first INTEGER PRIMARY KEY, ahead INTEGER NOT NULL) STRICT;
  INSERT INTO wall VALUES (0, 0);
  ALTER TABLE stream ADD COLUMN ran INTEGER NOT NULL DEFAULT 0;
  UPDATE stream SET ran = coalesce((SELECT at FROM record ORDER BY number DESC LIMIT 1), 0);
  UPDATE record SET at = (SELECT ran FROM stream) WHERE at > (SELECT ran FROM stream);
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** What is known of the stream beside its records: one row, written with them. To count records takes long where there are many. */
interface StreamRow {
  readonly uuid: string;
  readonly forgotten: Forgotten;
  readonly letter: Letter;
  readonly waiting: number;
  readonly ran: number;
}

/** The file is there and is not an outbox of this version. */
export class OutboxFileError extends Error {
  override readonly name = 'OutboxFileError';
}

/**
 * What the region is still to be told, in one SQLite file, in order. Records go when the region has them; when it is gone for long,
 * the oldest go, and are counted.
 */
export class Outbox {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #clock: Clock;
  readonly #directory: string | undefined;
  #bounds: OutboxBounds;
  #row: StreamRow;
  /** Handed out to be sent: not given up while nobody knows whether the region has it, so that nothing is both told and counted as not. */
  #lent = 0;
  /** The region has all up to this number, although the disk may not take that they go. */
  #settled = 0;
  /** When it was opened, less what it had been open before: by the monotonic clock. */
  readonly #origin: number;
  /** The first number that is given by this process. */
  readonly #first: number;
  /** How far the wall clock is ahead, as far as that is on disk. */
  #aheadOnDisk: number | undefined;

  /** Opens or creates `file`. Throws, leaving it as it is, when it is not an outbox of this version. */
  constructor(file: string, clock: Clock, bounds: OutboxBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#directory = file === ':memory:' ? undefined : dirname(file);
    this.#database = new DatabaseSync(file);
    try {
      this.#migrate(file);
      this.#insert = this.#database.prepare('INSERT INTO record (at, lease, body) VALUES (?, ?, ?)');
      this.#row = this.#readRow();
      this.#origin = clock.monotonic() - this.#row.ran;
      this.#first = this.last + 1;
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** Throws OutboxFileError, or what SQLite says, when what is in it can't be relied on. */
  check(): void {
    const found = this.#database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (found !== 'ok') throw new OutboxFileError(`expected a sound outbox, found: ${String(found)}`);
  }

  get stream(): string {
    return this.#row.uuid;
  }

  /** Undefined where nothing was. */
  get forgotten(): Forgotten | undefined {
    const { forgotten } = this.#row;
    return forgotten.count > 0 ? forgotten : undefined;
  }

  /** The greatest number that was given. */
  get last(): number {
    return this.#number("SELECT seq FROM sqlite_sequence WHERE name = 'record'") ?? 0;
  }

  /** Records that wait. */
  get count(): number {
    return this.#row.waiting;
  }

  waiting(): Waiting {
    const { count } = this;
    if (count === 0) return { count };
    const oldest = this.#takenAt(this.#nth(0, 0));
    return { count, ...(oldest !== undefined && { oldest }) };
  }

  /** Whether it was taken before. */
  hasTaken({ life, number }: Letter): boolean {
    return life === this.#row.letter.life && number <= this.#row.letter.number;
  }

  /** All of it or nothing. Throws what the disk says. */
  add({ records, letter = this.#row.letter, forgotten, beginsTelling = false }: Addition): void {
    if (this.#directory !== undefined) leaveRoom(this.#directory);
    this.#change({ letter, forgotten: this.#sum(forgotten) }, () => {
      const gone = beginsTelling ? this.#run('DELETE FROM record WHERE lease AND number > ?', this.#lent) : 0;
      const at = this.#ran;
      for (const { isLease, body } of records) this.#insert.run(at, isLease ? 1 : 0, body);
      return records.length - gone;
    });
  }

  /** The oldest, as many as fit: `most` of them, and so many characters; one at least. They are lent until `settle`. */
  lend(most: number, characters: number): StoredRecord[] {
    const records: StoredRecord[] = [];
    let length = 0;
    const select = this.#database.prepare('SELECT number, body FROM record WHERE number > ? ORDER BY number LIMIT ?');
    for (const row of select.iterate(this.#settled, most)) {
      const record = { number: Number(row['number']), body: String(row['body']) };
      length += record.body.length;
      if (records.length > 0 && length > characters) break;
      records.push(record);
    }
    this.#lent = records.at(-1)?.number ?? 0;
    return records;
  }

  /** The region has all up to `kept`; it may not have the rest of what was lent. Throws what the disk says. */
  settle(kept: number): void {
    this.#lent = 0;
    this.#settled = Math.max(this.#settled, kept);
    // A power cut may bring them back, to be told again and be known: the disk is left to leases, which wait for it
    this.#database.exec('PRAGMA synchronous = NORMAL');
    try {
      this.#change({}, () => -this.#run('DELETE FROM record WHERE number <= ?', this.#settled));
    } finally {
      this.#database.exec('PRAGMA synchronous = FULL');
    }
  }

  /** The region can't take the record: it is given up. */
  giveUp(number: number): void {
    this.#lent = 0;
    const before = this.#takenAt(number);
    if (before === undefined) return;
    const forgotten = this.#sum({ count: 1, before });
    this.#change({ forgotten }, () => -this.#run('DELETE FROM record WHERE number = ?', number));
  }

  /** The region knows more of this stream than is here, as this file is an older copy of itself: what it has counts as another. */
  beginStream(): void {
    this.#change({ uuid: randomUUID() }, () => 0);
    this.#lent = 0;
  }

  bound(bounds: OutboxBounds): void {
    this.#bounds = bounds;
  }

  /**
   * Gives up what is too old or too much, not all of it at once: to be called now and then. Returns how many went. Then leases
   * are to be told whole, as something of them may be missing; so those that wait are given up too, uncounted.
   */
  trim(): number {
    const busy = Math.max(this.#lent, this.#settled);
    // Of these and no more it is looked how old they are: there may be millions
    const most = this.#nth(busy, MOST_AT_ONCE) ?? this.last + 1;
    const end = Math.max(this.#firstYoung(most) ?? most, this.#firstWithin(busy));
    const gone = this.#trimBetween(busy, Math.min(end, most));
    if (gone === 0 && this.count > 0 && this.#ran - this.#row.ran >= RAN_EVERY) this.#change({}, () => 0);
    return gone;
  }

  close(): void {
    this.#database.close();
  }

  /** Those behind the number `from` and ahead of `end`. */
  #trimBetween(from: number, end: number): number {
    const first = this.#nth(from, 0);
    if (first === undefined || first >= end) return 0;
    const { count, last } =
      this.#database
        .prepare(
          'SELECT count(*) AS count, max(number) AS last FROM record WHERE number > ? AND number < ? AND NOT lease',
        )
        .get(from, end) ?? {};
    const forgotten = this.#sum({ count: Number(count), before: this.#takenAt(Number(last)) ?? 0 });
    const waiting = this.count;
    this.#change(
      { forgotten },
      () => -this.#run('DELETE FROM record WHERE number > ? AND (number < ? OR lease)', from, end),
    );
    return waiting - this.count;
  }

  /** The number of the record behind `from` and so many others. */
  #nth(from: number, others: number): number | undefined {
    return this.#number('SELECT number FROM record WHERE number > ? ORDER BY number LIMIT 1 OFFSET ?', from, others);
  }

  #sum(more: Forgotten | undefined): Forgotten {
    const { forgotten } = this.#row;
    if (more === undefined || more.count === 0) return forgotten;
    return { count: forgotten.count + more.count, before: more.before };
  }

  /** Does `work` and writes down what is known then, both or none. `work` gives how many records there are more. */
  #change(changed: Partial<StreamRow>, work: () => number): void {
    let row = this.#row;
    const ahead = this.#ahead;
    const isSet = this.#aheadOnDisk === undefined || Math.abs(ahead - this.#aheadOnDisk) > WALL_DRIFT;
    inTransaction(this.#database, 'BEGIN', () => {
      row = { ...row, ...changed, waiting: row.waiting + work(), ran: this.#ran };
      const { uuid, forgotten, letter, waiting, ran } = row;
      this.#run(
        'UPDATE stream SET uuid = ?, forgotten = ?, before = ?, life = ?, letter = ?, waiting = ?, ran = ?',
        uuid,
        forgotten.count,
        forgotten.before,
        letter.life,
        letter.number,
        waiting,
        ran,
      );
      if (isSet) this.#writeAhead(ahead);
    });
    this.#row = row;
    if (isSet) this.#aheadOnDisk = ahead;
  }

  /** For whoever opens the file next; what it says of records that are gone goes. */
  #writeAhead(ahead: number): void {
    this.#run('INSERT OR REPLACE INTO wall VALUES (?, ?)', this.#first, ahead);
    this.#run(
      'DELETE FROM wall WHERE first < (SELECT max(first) FROM wall WHERE first <= (SELECT min(number) FROM record))',
    );
  }

  /** For how long this file was open in all, milliseconds. */
  get #ran(): number {
    return Math.floor(this.#clock.monotonic() - this.#origin);
  }

  /** How far the wall clock is ahead of that. */
  get #ahead(): number {
    return this.#clock.now() - this.#ran;
  }

  /** Unix milliseconds: what this process took by the clock as it is set now, the rest as it was set last in its time. */
  #takenAt(number = 0): number | undefined {
    const at = this.#number('SELECT at FROM record WHERE number = ?', number);
    if (at === undefined) return undefined;
    if (number >= this.#first) return at + this.#ahead;
    return at + (this.#number('SELECT ahead FROM wall WHERE first <= ? ORDER BY first DESC LIMIT 1', number) ?? 0);
  }

  #readRow(): StreamRow {
    const row = this.#database.prepare('SELECT * FROM stream').get() ?? {};
    return {
      uuid: String(row['uuid']),
      forgotten: { count: Number(row['forgotten']), before: Number(row['before']) },
      letter: { life: String(row['life']), number: Number(row['letter']) },
      waiting: Number(row['waiting']),
      ran: Number(row['ran']),
    };
  }

  #migrate(file: string): void {
    const version = this.#number('PRAGMA user_version');
    if (version === undefined || version > SCHEMA_VERSION) {
      throw new OutboxFileError(`${file}: expected outbox version ${SCHEMA_VERSION}, found ${version}`);
    }
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    if (version === SCHEMA_VERSION) return;
    inTransaction(this.#database, 'BEGIN', () => {
      if (version === 1) return this.#database.exec(FROM_VERSION_1);
      this.#database.exec(SCHEMA);
      this.#run("INSERT INTO stream VALUES (?, 0, 0, '', 0, 0, 0)", randomUUID());
    });
  }

  #firstYoung(end: number): number | undefined {
    const oldest = this.#ran - this.#bounds.milliseconds;
    return this.#number('SELECT number FROM record WHERE at >= ? AND number < ? ORDER BY number LIMIT 1', oldest, end);
  }

  /** Records are of much the same length: of the oldest, as many go as there are bytes too many. */
  #firstWithin(busy: number): number {
    const pages = (this.#number('PRAGMA page_count') ?? 0) - (this.#number('PRAGMA freelist_count') ?? 0);
    const used = pages * (this.#number('PRAGMA page_size') ?? 0);
    if (used <= this.#bounds.bytes) return 0;
    const gone = Math.ceil(this.count * (1 - (this.#bounds.bytes * SHARE_KEPT) / used));
    return this.#nth(busy, Math.min(gone, MOST_AT_ONCE)) ?? this.last + 1;
  }

  #run(query: string, ...values: (string | number)[]): number {
    return Number(this.#database.prepare(query).run(...values).changes);
  }

  /** The one number that a query gives; null is none. */
  #number(query: string, ...values: readonly number[]): number | undefined {
    const [value] = Object.values(this.#database.prepare(query).get(...values) ?? {});
    return typeof value === 'number' ? value : undefined;
  }
}
