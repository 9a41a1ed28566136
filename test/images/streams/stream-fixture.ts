import { createHash } from 'node:crypto';

import { createMessage, createCleartextMessage, generateKey, sign, type PrivateKey } from 'openpgp';

/** A key of a mirror, and its keyring in both forms that gpg exports. */
export interface SigningKey {
  readonly privateKey: PrivateKey;
  readonly binary: Uint8Array;
  readonly armoured: Uint8Array;
  /** Sixteen hex digits in capitals. */
  readonly id: string;
}

export async function signingKey(name = 'mirror'): Promise<SigningKey> {
  const { privateKey } = await generateKey({ userIDs: [{ name }], format: 'object' });
  const publicKey = privateKey.toPublic();
  return {
    privateKey,
    binary: publicKey.write(),
    armoured: Buffer.from(publicKey.armor()),
    id: publicKey.getKeyID().toHex().toUpperCase(),
  };
}

export async function clearSign(text: string, ...keys: readonly SigningKey[]): Promise<string> {
  const signingKeys = keys.map(({ privateKey }) => privateKey);
  return sign({ message: await createCleartextMessage({ text }), signingKeys });
}

export async function detachedSignature(content: Uint8Array, { privateKey }: SigningKey): Promise<Uint8Array> {
  const message = await createMessage({ binary: content });
  return sign({ message, signingKeys: privateKey, detached: true, format: 'binary' });
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
