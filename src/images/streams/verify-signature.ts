import type * as OpenPgpModule from 'openpgp';

import { StreamError } from './stream-error.ts';

/** A keyring as it was read: gpg's binary export, or armoured text. */
export interface Keyring {
  /** For messages. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

type OpenPgp = typeof OpenPgpModule;
type Keys = Awaited<ReturnType<OpenPgp['readKeys']>>;
type Verified = Awaited<ReturnType<OpenPgp['verify']>>;

const ARMOUR = '-----BEGIN PGP';

/** The text that a clear-signed message vouches for, and nothing around it. Throws StreamError. */
export async function readClearSigned(signed: string, file: string, keyring: Keyring): Promise<string> {
  const openpgp = await loadOpenPgp();
  const keys = await keysOf(openpgp, keyring);
  const message = await openpgp.readCleartextMessage({ cleartextMessage: signed }).catch((error: unknown) => {
    throw new StreamError(`${file}: expected a clear-signed text, found none (${reasonOf(error)})`);
  });
  const verified = await openpgp.verify({ message, verificationKeys: keys });
  await believe(verified, file, keyring, keys);
  return verified.data;
}

/** Checks a detached signature, binary or armoured. Throws StreamError; `file` names the text. */
export async function checkDetached(
  content: Uint8Array,
  signature: Uint8Array,
  file: string,
  keyring: Keyring,
): Promise<void> {
  const openpgp = await loadOpenPgp();
  const keys = await keysOf(openpgp, keyring);
  const text = asArmour(signature);
  const read = text === undefined ? { binarySignature: signature } : { armoredSignature: text };
  const parsed = await openpgp.readSignature(read as { binarySignature: Uint8Array }).catch((error: unknown) => {
    throw new StreamError(`${file}.gpg: expected a signature, found none (${reasonOf(error)})`);
  });
  const message = await openpgp.createMessage({ binary: content });
  const verified = await openpgp.verify({ message, signature: parsed, verificationKeys: keys, format: 'binary' });
  await believe(verified as Verified, file, keyring, keys);
}

/** Only where a stream is signed: the daemon need not hold it otherwise. */
function loadOpenPgp(): Promise<OpenPgp> {
  return import('openpgp');
}

async function keysOf(openpgp: OpenPgp, { file, bytes }: Keyring): Promise<Keys> {
  const text = asArmour(bytes);
  try {
    const keys = await (text === undefined
      ? openpgp.readKeys({ binaryKeys: bytes })
      : openpgp.readKeys({ armoredKeys: text }));
    if (keys.length > 0) return keys;
  } catch (error) {
    throw new StreamError(`${file}: expected a keyring as gpg exports it, found none (${reasonOf(error)})`);
  }
  throw new StreamError(`${file}: expected a keyring with a key in it, found none`);
}

/** One good signature by a key of the ring will do, as others may be by keys that came later. */
async function believe({ signatures }: Verified, file: string, keyring: Keyring, keys: Keys): Promise<void> {
  if (signatures.length === 0) throw new StreamError(`${file}: expected a signature, found none`);
  const faults: string[] = [];
  for (const { keyID, verified } of signatures) {
    try {
      await verified;
      return;
    } catch (error) {
      faults.push(`key ${keyID.toHex().toUpperCase()}: ${reasonOf(error)}`);
    }
  }
  const known = keys.map((key) => key.getKeyID().toHex().toUpperCase()).join(', ');
  throw new StreamError(`${file}: signature refused: ${faults.join('; ')} (${keyring.file} has ${known})`);
}

function asArmour(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1').trimStart();
  return head.startsWith(ARMOUR) ? Buffer.from(bytes).toString('utf8') : undefined;
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s+/g, ' ').trim();
}
