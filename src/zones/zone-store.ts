import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';

import { inTransaction } from '../system/database-file.ts';
import type { NameKey } from '../wire/dns/name.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import { decodeRecords, encodeRecords } from './record-bytes.ts';
import type { ZoneChange } from './zone-change.ts';

/** The file is there and is not a sound one of this version. */
export class ZoneFileError extends Error {
  override readonly name = 'ZoneFileError';
}

/** What the file holds of one zone, but its records. */
export interface StoredZone {
  readonly id: number;
  /** What was published last; undefined when the records are not whole. */
  readonly soa: ResourceRecord | undefined;
  /** No serial later than this one was ever published; where it is that of the SOA, this was the last. */
  readonly reserved: number;
  readonly changes: readonly ZoneChange[];
}

/** What updates did to the contents of a zone's file: the zone is (file − deleted) ∪ added. */
export interface Overlay {
  readonly added: readonly ResourceRecord[];
  readonly deleted: readonly ResourceRecord[];
}

const SCHEMA_VERSION = 2;
/** Names and data are bytes as on the wire. */
const SCHEMA = `
  CREATE TABLE zone (
    id INTEGER PRIMARY KEY,
    origin BLOB NOT NULL UNIQUE,
    -- The start of authority as it was published last; NULL while the records below are being written anew
    soa BLOB,
    reserved INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE record (
    zone INTEGER NOT NULL,
    owner BLOB NOT NULL,
    type INTEGER NOT NULL,
    data BLOB NOT NULL,
    ttl INTEGER NOT NULL,
    PRIMARY KEY (zone, owner, type, data)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE change (
    id INTEGER PRIMARY KEY,
    zone INTEGER NOT NULL,
    soas BLOB NOT NULL,
    removed BLOB NOT NULL,
    added BLOB NOT NULL
  ) STRICT;
  CREATE INDEX change_zone ON change (zone, id);
  CREATE TABLE overlay (
    zone INTEGER NOT NULL,
    owner BLOB NOT NULL,
    type INTEGER NOT NULL,
    data BLOB NOT NULL,
    ttl INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    PRIMARY KEY (zone, owner, type, data)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** In the first version one mark said of all zones that what is stored is what was published last. */
const FROM_VERSION_1 = `
  DROP TABLE mark;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** The zones' serials, contents, changes and updates in one SQLite file. */
export class SqliteZoneStore {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #page: StatementSync;

  /** Opens or creates `file`. Throws, leaving it as it is, when it is not a sound file of this version. */
  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    try {
      this.#migrate(file);
      const found = this.#database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
      if (found !== 'ok') throw new ZoneFileError(`expected a sound file of zones, found: ${String(found)}`);
      this.#insert = this.#database.prepare('INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)');
      this.#delete = this.#database.prepare(
        'DELETE FROM record WHERE zone = ? AND owner = ? AND type = ? AND data = ?',
      );
      this.#page = this.#database.prepare(
        'SELECT owner, type, ttl, data FROM record WHERE zone = ? AND (owner, type, data) > (?, ?, ?) ORDER BY owner, type, data LIMIT ?',
      );
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  load(origin: NameKey): StoredZone | undefined {
    const row = this.#database.prepare('SELECT id, soa, reserved FROM zone WHERE origin = ?').get(blob(origin));
    if (!row) return undefined;
    const id = Number(row['id']);
    return {
      id,
      soa: row['soa'] instanceof Uint8Array ? decodeRecords(row['soa'])[0] : undefined,
      reserved: Number(row['reserved']),
      changes: this.#loadChanges(id, origin),
    };
  }

  overlay(origin: NameKey): Overlay | undefined {
    const id = this.#database.prepare('SELECT id FROM zone WHERE origin = ?').get(blob(origin))?.['id'];
    return id === undefined ? undefined : readOverlay(this.#database, Number(id));
  }

  /** The stored records of a zone behind `after`, at most `count` of them, in the file's order. */
  page(zone: number, after: ResourceRecord | undefined, count: number): ResourceRecord[] {
    const [owner, type, data] = after ? [blob(after.owner), after.type, blob(after.data)] : [blob(''), -1, blob('')];
    return this.#page.all(zone, owner, type, data, count).map(readRecord);
  }

  /** Runs `work` whole or not at all. `isSynced`: when this returns, a power cut loses nothing of it. */
  transaction(isSynced: boolean, work: () => void): void {
    this.#database.exec(`PRAGMA synchronous = ${isSynced ? 'FULL' : 'NORMAL'}`);
    inTransaction(this.#database, 'BEGIN IMMEDIATE', work);
  }

  /** The zone's number here; it is made when it is not there yet. */
  zoneId(origin: NameKey): number {
    const key = blob(origin);
    this.#database.prepare('INSERT OR IGNORE INTO zone (origin, reserved) VALUES (?, 0)').run(key);
    return Number(this.#database.prepare('SELECT id FROM zone WHERE origin = ?').get(key)?.['id']);
  }

  /** The last serial that was reserved; 0 before the first. */
  reserved(zone: number): number {
    return Number(this.#database.prepare('SELECT reserved FROM zone WHERE id = ?').get(zone)?.['reserved']);
  }

  /** Reserves serials up to this one; where later ones are (RFC 1982 §3.2), these stay. */
  reserve(zone: number, serial: number): void {
    const isLater = '(? - reserved) & 0xffffffff BETWEEN 1 AND 0x7fffffff';
    this.#database
      .prepare(`UPDATE zone SET reserved = ? WHERE id = ? AND (reserved = 0 OR ${isLater})`)
      .run(serial, zone, serial);
  }

  /** The last serial that was given: none behind it is reserved any more. */
  reserveNoMore(zone: number, serial: number): void {
    this.#database.prepare('UPDATE zone SET reserved = ? WHERE id = ?').run(serial, zone);
  }

  /** From now on, until `setSoa`, the records are those of no serial. */
  unsetSoa(zone: number): void {
    this.#database.prepare('UPDATE zone SET soa = NULL WHERE id = ?').run(zone);
  }

  setSoa(zone: number, soa: ResourceRecord): void {
    this.#database.prepare('UPDATE zone SET soa = ? WHERE id = ?').run(encodeRecords([soa]), zone);
  }

  put(zone: number, { owner, type, ttl, data }: ResourceRecord): void {
    this.#insert.run(zone, blob(owner), type, blob(data), ttl);
  }

  remove(zone: number, { owner, type, data }: ResourceRecord): void {
    this.#delete.run(zone, blob(owner), type, blob(data));
  }

  /** Removes up to `count` records; returns how many there were. */
  clearSome(zone: number, count: number): number {
    const some = 'SELECT zone, owner, type, data FROM record WHERE zone = ? LIMIT ?';
    const statement = this.#database.prepare(`DELETE FROM record WHERE (zone, owner, type, data) IN (${some})`);
    return Number(statement.run(zone, count).changes);
  }

  addChange(zone: number, { from, to, removed, added }: ZoneChange): void {
    this.#database
      .prepare('INSERT INTO change (zone, soas, removed, added) VALUES (?, ?, ?, ?)')
      .run(zone, encodeRecords([from, to]), encodeRecords(removed), encodeRecords(added));
  }

  /** Keeps the latest `count` changes of a zone. */
  trimChanges(zone: number, count: number): void {
    const newest = 'SELECT id FROM change WHERE zone = ? ORDER BY id DESC LIMIT 1 OFFSET ?';
    this.#database.prepare(`DELETE FROM change WHERE zone = ? AND id <= (${newest})`).run(zone, zone, count);
  }

  putOverlay(zone: number, record: ResourceRecord, isDeleted: boolean): void {
    const { owner, type, ttl, data } = record;
    this.#database
      .prepare('INSERT OR REPLACE INTO overlay VALUES (?, ?, ?, ?, ?, ?)')
      .run(zone, blob(owner), type, blob(data), ttl, Number(isDeleted));
  }

  removeOverlay(zone: number, { owner, type, data }: ResourceRecord): void {
    this.#database
      .prepare('DELETE FROM overlay WHERE zone = ? AND owner = ? AND type = ? AND data = ?')
      .run(zone, blob(owner), type, blob(data));
  }

  clearOverlay(zone: number): void {
    this.#database.prepare('DELETE FROM overlay WHERE zone = ?').run(zone);
  }

  close(): void {
    this.#database.close();
  }

  #loadChanges(zone: number, origin: NameKey): ZoneChange[] {
    const rows = this.#database.prepare('SELECT soas, removed, added FROM change WHERE zone = ? ORDER BY id').all(zone);
    return rows.flatMap(({ soas, removed, added }) => {
      const [from, to] = decodeRecords(bytesOf(soas));
      if (!from || !to) return [];
      return [{ origin, from, to, removed: decodeRecords(bytesOf(removed)), added: decodeRecords(bytesOf(added)) }];
    });
  }

  #migrate(file: string): void {
    const version = this.#database.prepare('PRAGMA user_version').get()?.['user_version'];
    if (version !== 0 && version !== 1 && version !== SCHEMA_VERSION) {
      throw new ZoneFileError(`${file}: expected zones of version ${SCHEMA_VERSION}, found ${String(version)}`);
    }
    this.#database.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    if (version === 0) this.#database.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    if (version === 1) this.#database.exec(`BEGIN; ${FROM_VERSION_1} COMMIT;`);
  }
}

/** What must not be forgotten of a zone, although nothing can be written: the serials that were promised, and its updates. */
export interface StrandedZone {
  readonly reserved: number;
  readonly overlay: Overlay;
}

/** Reads that of all zones in a file. */
export function readStranded(database: DatabaseSync): Map<NameKey, StrandedZone> {
  const rows = database.prepare('SELECT id, origin, reserved FROM zone').all();
  return new Map(
    rows.map(({ id, origin, reserved }) => [
      bytesOf(origin).toString('latin1') as NameKey,
      { reserved: Number(reserved), overlay: readOverlay(database, Number(id)) },
    ]),
  );
}

function readOverlay(database: DatabaseSync, zone: number): Overlay {
  const rows = database.prepare('SELECT owner, type, ttl, data, deleted FROM overlay WHERE zone = ?').all(zone);
  return {
    added: rows.filter(({ deleted }) => deleted === 0).map(readRecord),
    deleted: rows.filter(({ deleted }) => deleted === 1).map(readRecord),
  };
}

function readRecord(row: Record<string, SQLOutputValue>): ResourceRecord {
  const { owner, type, ttl, data } = row;
  return {
    owner: bytesOf(owner).toString('latin1') as NameKey,
    type: Number(type),
    ttl: Number(ttl),
    data: bytesOf(data).toString('latin1'),
  };
}

function bytesOf(value: SQLOutputValue | undefined): Buffer {
  if (!(value instanceof Uint8Array)) return Buffer.alloc(0);
  return Buffer.from(value.buffer, value.byteOffset, value.length);
}

function blob(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
