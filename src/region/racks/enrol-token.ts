import { randomBytes } from 'node:crypto';

import { audit } from '../audit.ts';
import type { Sql } from '../database/database.ts';
import { hashSecret } from '../secret-hash.ts';

export interface TokenWish {
  /** Whose it is to be; absent: anybody's who is not known yet. */
  readonly rack?: string | undefined;
  readonly seconds: number;
  /** Who asks for it. */
  readonly who: string;
}

/** In base64url; none that a command line would take for an option, as one in 64 begins with a hyphen. */
export function newToken(random: (octets: number) => Buffer = randomBytes): string {
  for (;;) {
    const token = random(32).toString('base64url');
    if (!token.startsWith('-')) return token;
  }
}

/** A token that enrols one rack once; it is told here and nowhere else. */
export async function createToken(sql: Sql, { rack, seconds, who }: TokenWish): Promise<string> {
  const token = newToken();
  await sql.query('DELETE FROM enrol_token WHERE expires < now()');
  await sql.query(
    'INSERT INTO enrol_token (hash, rack_name, expires, created_by) VALUES ($1, $2, now() + make_interval(secs => $3), $4)',
    [hashSecret(token), rack ?? null, seconds, who],
  );
  await audit(sql, { who, did: 'create', what: `token for ${rack === undefined ? 'any rack' : `rack ${rack}`}` });
  return token;
}
