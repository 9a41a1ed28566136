import { DatabaseSync } from 'node:sqlite';

import type { NameKey } from '../wire/dns/name.ts';
import type { ResourceRecord } from '../wire/dns/resource-record.ts';
import { decodeRecords } from './record-bytes.ts';

/**
 * What a file of zones says was published last of one, the SOA first, its updates among it; undefined when it does not hold it
 * whole, or can't be read. The DNS service, whose file it is, may have it open meanwhile.
 */
export function readKeptZone(file: string, origin: NameKey): ResourceRecord[] | undefined {
  try {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return readWhole(database, origin);
    } finally {
      database.close();
    }
  } catch {
    // Its service complains of it
    return undefined;
  }
}

function readWhole(database: DatabaseSync, origin: NameKey): ResourceRecord[] | undefined {
  const zone = database.prepare('SELECT id, soa FROM zone WHERE origin = ?').get(Buffer.from(origin, 'latin1'));
  const [soa] = zone?.['soa'] instanceof Uint8Array ? decodeRecords(zone['soa']) : [];
  if (!zone || !soa) return undefined;
  const rows = database.prepare('SELECT owner, type, ttl, data FROM record WHERE zone = ?').all(Number(zone['id']));
  const records = rows.map(({ owner, type, ttl, data }): ResourceRecord => {
    return { owner: textOf(owner) as NameKey, type: Number(type), ttl: Number(ttl), data: textOf(data) };
  });
  return [soa, ...records];
}

function textOf(bytes: unknown): string {
  return bytes instanceof Uint8Array ? Buffer.from(bytes).toString('latin1') : '';
}
