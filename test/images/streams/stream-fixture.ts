import { createHash } from 'node:crypto';

import {
  createCleartextMessage,
  createMessage,
  enums,
  generateKey,
  reformatKey,
  revokeKey,
  sign,
  type PrivateKey,
  type PublicKey,
} from 'openpgp';

/** A key of a mirror, and its keyring in both forms that gpg exports. */
export interface SigningKey {
  readonly privateKey: PrivateKey;
  readonly binary: Uint8Array;
  readonly armoured: Uint8Array;
  /** Sixteen hex digits in capitals. */
  readonly id: string;
}

/** `made`, and what it expires after, in milliseconds. */
export async function signingKey(name = 'mirror', made = Date.now(), lasts = 0): Promise<SigningKey> {
  const life = { date: new Date(made), keyExpirationTime: lasts / 1000 };
  const { privateKey } = await generateKey({ userIDs: [{ name }], format: 'object', ...life });
  return ringOf(privateKey, privateKey.toPublic());
}

/** The same key, as a ring has it once its owner revoked it. */
export async function revoked(
  { privateKey }: SigningKey,
  reason: keyof typeof enums.reasonForRevocation,
  at: number,
): Promise<SigningKey> {
  const flag = { flag: enums.reasonForRevocation[reason] };
  const { publicKey } = await revokeKey({
    key: privateKey,
    reasonForRevocation: flag,
    date: new Date(at),
    format: 'object',
  });
  return ringOf(privateKey, publicKey);
}

/** The same key, as a ring has it once its owner put off its end: what it said of itself before is no longer there. */
export async function extended({ privateKey }: SigningKey, at: number, lasts: number): Promise<SigningKey> {
  const again = await reformatKey({
    privateKey,
    userIDs: [{ name: 'mirror' }],
    format: 'object',
    date: new Date(at),
    keyExpirationTime: lasts / 1000,
  });
  return ringOf(privateKey, again.publicKey);
}

function ringOf(privateKey: PrivateKey, publicKey: PublicKey): SigningKey {
  return {
    privateKey,
    binary: publicKey.write(),
    armoured: Buffer.from(publicKey.armor()),
    id: publicKey.getKeyID().toHex().toUpperCase(),
  };
}

export async function clearSign(text: string, ...keys: readonly SigningKey[]): Promise<string> {
  return clearSignAt(Date.now(), text, ...keys);
}

/** `at`: what time the signatures say. */
export async function clearSignAt(at: number, text: string, ...keys: readonly SigningKey[]): Promise<string> {
  const signingKeys = keys.map(({ privateKey }) => privateKey);
  return sign({ message: await createCleartextMessage({ text }), signingKeys, date: new Date(at) });
}

export async function detachedSignature(
  content: Uint8Array,
  { privateKey }: SigningKey,
  at = Date.now(),
): Promise<Uint8Array> {
  const message = await createMessage({ binary: content });
  return sign({ message, signingKeys: privateKey, detached: true, format: 'binary', date: new Date(at) });
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

export interface ProductWords {
  readonly os?: string;
  readonly release?: string;
  readonly arch?: string;
  readonly subarch?: string;
  readonly subarches?: string;
  readonly label?: string;
}

/** A product as Ubuntu's stream has it; `files`: by version, the content of each item. */
export function product(
  words: ProductWords,
  files: Readonly<Record<string, Readonly<Record<string, string>>>>,
): object {
  const { os = 'ubuntu', release = 'noble', arch = 'amd64', subarch = 'ga-24.04', label = 'stable' } = words;
  const subarches = words.subarches ?? `generic,${subarch}`;
  const versions = Object.entries(files).map(([version, items]) => {
    const rows = Object.entries(items).map(([ftype, content]) => {
      const path = `${release}/${arch}/${version}/${subarch}/${ftype}`;
      return [ftype, { ftype, path, sha256: sha256(content), size: Buffer.byteLength(content) }];
    });
    return [version, { items: Object.fromEntries(rows) as object }];
  });
  return { os, release, arch, subarch, subarches, label, kflavor: 'generic', versions: Object.fromEntries(versions) };
}

export function productsFile(products: Readonly<Record<string, object>>): string {
  return JSON.stringify({ format: 'products:1.0', content_id: 'test:images', products });
}

export function indexFile(paths: readonly string[]): string {
  const entries = paths.map((path, i) => [
    `test:${i}:download`,
    { format: 'products:1.0', datatype: 'image-downloads', path },
  ]);
  return JSON.stringify({ format: 'index:1.0', index: Object.fromEntries(entries) as object });
}
