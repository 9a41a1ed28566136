import type { RackCredentials } from '../../contract/rack-key.ts';
import type { Enrolment } from '../../contract/rack-words.ts';
import { audit } from '../audit.ts';
import type { Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { hashSecret, isSameHash } from '../secret-hash.ts';

/** A rack that has proved who it is. */
export interface Rack {
  readonly id: string;
  readonly name: string;
}

/**
 * Makes a rack of whoever has a token; the same rack again for the same token and key, as the answer may have been lost. A rack of
 * that name that is there already is the same one, with a new key, where the token was made for it. Throws Refusal.
 *
 * Who takes the token away is alone with it, and the name is its own lock: so `read committed` will do, and a thousand racks that
 * enrol at once are not in one another's way.
 */
export async function enrolRack(sql: Sql, { token, keyHash, name }: Enrolment): Promise<Rack> {
  const hash = hashSecret(token);
  const known = await findEnrolled(sql, hash, keyHash);
  if (known) return known;
  const [valid] = await sql.query('DELETE FROM enrol_token WHERE hash = $1 AND expires > now() RETURNING rack_name', [
    hash,
  ]);
  if (!valid) {
    // Perhaps the same question was answered while this one waited for it
    const again = await findEnrolled(sql, hash, keyHash);
    if (again) return again;
    throw new Refusal(
      403,
      'this token is not known, was used, or is too old: make another with `rackboot region enrol-rack`',
    );
  }
  const wanted = typeof valid['rack_name'] === 'string' ? valid['rack_name'] : null;
  if (wanted !== null && wanted !== name) {
    throw new Refusal(403, `this token is for the rack ${wanted}, and this one is called ${name}`);
  }
  const [row] = await sql.query(
    `INSERT INTO rack (name, key_hash, token_hash) VALUES ($1, $2, $3)
     ON CONFLICT (name) DO ${wanted === null ? 'NOTHING' : 'UPDATE SET key_hash = $2, next_key_hash = NULL, token_hash = $3'}
     RETURNING id, xmax <> 0 AS was_there`,
    [name, keyHash, hash],
  );
  if (!row) {
    throw new Refusal(
      409,
      `there is a rack ${name} already: make a token for it with \`rackboot region enrol-rack --name ${name}\`, or give this one another rack.name`,
    );
  }
  const id = String(row['id']);
  const did = row['was_there'] === true ? 'enrol again' : 'enrol';
  await audit(sql, { who: name, did, what: `rack ${name}`, after: { id } });
  return { id, name };
}

async function findEnrolled(sql: Sql, tokenHash: string, keyHash: string): Promise<Rack | undefined> {
  const [row] = await sql.query('SELECT id, name, key_hash FROM rack WHERE token_hash = $1', [tokenHash]);
  if (!row || !isSameHash(String(row['key_hash']), keyHash)) return undefined;
  return { id: String(row['id']), name: String(row['name']) };
}

/** Whose key it is; a new key that is used for the first time takes the place of the old one. Undefined when it is nobody's. */
export async function findRack(sql: Sql, { rack, key }: RackCredentials): Promise<Rack | undefined> {
  const [row] = await sql.query('SELECT name, key_hash, next_key_hash FROM rack WHERE id = $1', [rack]);
  if (!row) return undefined;
  const hash = hashSecret(key);
  const next = row['next_key_hash'];
  if (typeof next === 'string' && isSameHash(next, hash)) {
    await sql.query(
      'UPDATE rack SET key_hash = next_key_hash, next_key_hash = NULL WHERE id = $1 AND next_key_hash = $2',
      [rack, hash],
    );
  } else if (!isSameHash(String(row['key_hash']), hash)) return undefined;
  return { id: rack, name: String(row['name']) };
}

/** It is nobody's key, or of a rack that was removed meanwhile. */
export function unknownRack(): Refusal {
  return new Refusal(401, 'this is no key of a rack of this region');
}

/** What it told of leases, wires and machines goes with it, its events later: there may be millions. */
export async function removeRack(sql: Sql, id: string): Promise<void> {
  await sql.query('DELETE FROM rack WHERE id = $1', [id]);
  await sql.query('INSERT INTO removed_rack (id) VALUES ($1)', [id]);
}

/** A key beside the one it has. Throws Refusal. */
export async function changeKey(sql: Sql, rack: Rack, keyHash: string): Promise<void> {
  const [row] = await sql.query('UPDATE rack SET next_key_hash = $2 WHERE id = $1 RETURNING 1 AS found', [
    rack.id,
    keyHash,
  ]);
  if (!row) throw unknownRack();
  await audit(sql, { who: rack.name, did: 'change key', what: `rack ${rack.name}` });
}
