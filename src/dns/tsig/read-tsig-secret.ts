import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

import { TsigSecret, type TsigAlgorithm } from './tsig-secret.ts';

/** A key as the Plan names it. */
export interface TsigKeyFile {
  readonly name: string;
  readonly algorithm: TsigAlgorithm;
  readonly secretFile: string;
}

/** Far above any key; a wrong path may lead to anything. */
const LARGEST = 4096;
/** RFC 8945 §8: "at least as long as the hash output" is advised; below this a secret is guessed, or is no secret but a word. */
const SHORTEST = 16;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** What tsig-keygen writes: key "name" { algorithm hmac-sha256; secret "…"; }; */
const CLAUSE = /^\s*key\s+"?([^"\s{]+)"?\s*\{([^}]*)\}\s*;?\s*$/;

/** Reads a key's secret from its file: base64, or tsig-keygen's form. Throws an Error that says what is wrong, and nothing of the secret. */
export function readTsigSecret({ name, algorithm, secretFile }: TsigKeyFile): TsigSecret {
  const text = readSecretFile(secretFile).trim();
  const clause = CLAUSE.exec(text);
  if (clause) checkClause(clause[1] ?? '', clause[2] ?? '', name, algorithm);
  const encoded = clause ? statement(clause[2] ?? '', 'secret') : text;
  if (encoded === undefined || !BASE64.test(encoded)) {
    throw new Error('expected the secret in base64, or what tsig-keygen writes');
  }
  const secret = Buffer.from(encoded, 'base64');
  if (secret.length < SHORTEST)
    throw new Error(`expected a secret of at least ${SHORTEST} octets, found ${secret.length}`);
  return new TsigSecret(name, algorithm, secret);
}

function readSecretFile(file: string): string {
  // The thread that answers would wait for whoever writes into a FIFO
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) throw new Error('it is no file');
    const { mode, size } = status;
    if ((mode & 0o007) !== 0) throw new Error('everybody on this machine may read it: chmod o= it');
    if (size > LARGEST) throw new Error(`expected a secret, found a file of ${size} bytes`);
    const bytes = Buffer.alloc(LARGEST);
    return bytes.toString('latin1', 0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}

function checkClause(name: string, body: string, wantedName: string, wantedAlgorithm: string): void {
  const algorithm = statement(body, 'algorithm')?.toLowerCase();
  if (undotted(name) !== undotted(wantedName)) throw new Error(`it has the key "${name}", expected "${wantedName}"`);
  if (algorithm !== wantedAlgorithm)
    throw new Error(`it has an ${algorithm ?? 'unnamed algorithm'} key, expected ${wantedAlgorithm}`);
}

/** The value of `algorithm …;` or `secret "…";` in a key's clause. */
function statement(body: string, word: string): string | undefined {
  const found = body.split(';').map((part) => part.trim().split(/\s+/));
  return found.find(([first]) => first === word)?.[1]?.replaceAll('"', '');
}

function undotted(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}
