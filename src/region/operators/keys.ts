import { randomBytes, scrypt, type BinaryLike } from 'node:crypto';
import { promisify } from 'node:util';

import { audit } from '../audit.ts';
import type { Sql } from '../database/database.ts';
import { Refusal } from '../refusal.ts';
import { hashSecret, isSameHash } from '../secret-hash.ts';

const derive = promisify<BinaryLike, BinaryLike, number, object, Buffer>(scrypt);

/** As many random letters as in a key of MAAS. */
const CONSUMER_LENGTH = 18;
const TOKEN_LENGTH = 18;
const SECRET_LENGTH = 32;
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnpqrstuvwxyz23456789';
const PASSWORD_OCTETS = 32;
/** OWASP's least for scrypt (2023): 128 MiB. */
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };

export interface Operator {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly isAdmin: boolean;
}

export interface OperatorWish {
  readonly name: string;
  readonly email: string;
  readonly password: string;
  readonly isAdmin: boolean;
}

/** A key by its parts, as it is written: consumer:token:secret. */
export interface KeyParts {
  readonly consumer: string;
  readonly token: string;
  readonly secret: string;
}

/** Throws Refusal when there is one of that name. */
export async function createOperator(
  sql: Sql,
  { name, email, password, isAdmin }: OperatorWish,
  who: string,
): Promise<void> {
  const [row] = await sql.query(
    'INSERT INTO operator (name, email, password, is_admin) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id',
    [name, email, await hashPassword(password), isAdmin],
  );
  if (!row) throw new Refusal(409, `there is an operator ${name} already`);
  await audit(sql, { who, did: 'create', what: `operator ${name}`, after: { email, isAdmin } });
}

/** A new key of this operator; its secret is told here and nowhere else. Throws Refusal when there is none of that name. */
export async function createKey(sql: Sql, operator: string, name: string, who: string): Promise<KeyParts> {
  const parts = { consumer: letters(CONSUMER_LENGTH), token: letters(TOKEN_LENGTH), secret: letters(SECRET_LENGTH) };
  const [row] = await sql.query(
    `INSERT INTO api_key (operator_id, name, consumer_key, token_key, secret_hash)
     SELECT id, $2, $3, $4, $5 FROM operator WHERE name = $1 RETURNING id`,
    [operator, name, parts.consumer, parts.token, hashSecret(parts.secret)],
  );
  if (!row) throw new Refusal(404, `there is no operator ${operator}: make one with \`rackboot region createadmin\``);
  await audit(sql, { who, did: 'create', what: `key ${String(row['id'])} of operator ${operator}` });
  return parts;
}

/** Whose key it is; undefined when it is nobody's. */
export async function findOperator(sql: Sql, { consumer, token, secret }: KeyParts): Promise<Operator | undefined> {
  const [row] = await sql.query(
    `SELECT operator.id, operator.name, email, is_admin, consumer_key, secret_hash
     FROM api_key JOIN operator ON operator.id = operator_id WHERE token_key = $1`,
    [token],
  );
  // Compared also where there is none, so that the time tells nothing
  const isRight = isSameHash(row ? String(row['secret_hash']) : hashSecret(''), hashSecret(secret));
  if (!row || !isRight || row['consumer_key'] !== consumer) return undefined;
  return {
    id: Number(row['id']),
    name: String(row['name']),
    email: String(row['email']),
    isAdmin: row['is_admin'] === true,
  };
}

export function formatKey({ consumer, token, secret }: KeyParts): string {
  return [consumer, token, secret].join(':');
}

/** "scrypt$N$r$p$salt$hash" */
async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password.normalize('NFKC'), salt, PASSWORD_OCTETS, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

/** Each with more than 5 bits; a byte that would favour some is thrown away. */
function letters(count: number): string {
  let text = '';
  while (text.length < count) {
    for (const byte of randomBytes(count)) {
      if (byte < LETTERS.length * Math.floor(256 / LETTERS.length)) text += LETTERS[byte % LETTERS.length] ?? '';
    }
  }
  return text.slice(0, count);
}
