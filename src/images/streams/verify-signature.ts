import type * as OpenPgpModule from 'openpgp';

import { StreamError } from './stream-error.ts';
import { messageOf } from '../../system/message-of.ts';

/** A keyring as it was read: gpg's binary export, or armoured text. */
export interface Keyring {
  /** For messages. */
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** What a signature is judged by. */
export interface Judge {
  readonly keyring: Keyring;
  /** Unix milliseconds. */
  readonly now: number;
}

type OpenPgp = typeof OpenPgpModule;
type Keys = Awaited<ReturnType<OpenPgp['readKeys']>>;
type Verified = Awaited<ReturnType<OpenPgp['verify']>>;
type Signed = Verified['signatures'][number];
type KeyID = Signed['keyID'];

const ARMOUR = '-----BEGIN PGP';
/** Each costs a pass over the text. There is one, or two while a mirror changes its key. */
const MOST_SIGNATURES = 16;
/** Each costs the parser a turn, and what is parsed is not believed yet. Indented JSON of 64 MB has 1.6 million. */
const MOST_LINES = 2_000_000;
/** By so much a rack's clock may be behind that of a mirror which has just signed. */
const CLOCK_SKEW = 600_000;
/** A key whose owner put off its end says of itself only what it says now, and has signed before that; `believe` asks for now too. */
const CONFIG = { allowInsecureVerificationWithReformattedKeys: true } as const;

/** The text that a clear-signed message vouches for, and nothing around it. Throws StreamError. */
export async function readClearSigned(signed: string, file: string, judge: Judge): Promise<string> {
  const openpgp = await loadOpenPgp();
  const keys = await keysOf(openpgp, judge.keyring);
  if (!hasFewLines(signed)) throw new StreamError(`${file}: expected at most ${MOST_LINES} lines, found more`);
  const message = await openpgp.readCleartextMessage({ cleartextMessage: signed }).catch((error: unknown) => {
    throw new StreamError(`${file}: expected a clear-signed text, found none (${reasonOf(error)})`);
  });
  demandFew(message.getSigningKeyIDs().length, file);
  const options = { message, verificationKeys: keys, date: latest(judge), config: CONFIG };
  const verified = await openpgp.verify(options).catch((error: unknown) => refuse(file, error));
  await believe(verified, file, judge, keys);
  return verified.data;
}

/** Checks a detached signature, binary or armoured. Throws StreamError; `file` names the text. */
export async function checkDetached(
  content: Uint8Array,
  signature: Uint8Array,
  file: string,
  judge: Judge,
): Promise<void> {
  const openpgp = await loadOpenPgp();
  const keys = await keysOf(openpgp, judge.keyring);
  const text = asArmour(signature);
  const read = text === undefined ? { binarySignature: signature } : { armoredSignature: text };
  const parsed = await openpgp.readSignature(read as { binarySignature: Uint8Array }).catch((error: unknown) => {
    throw new StreamError(`${file}.gpg: expected a signature, found none (${reasonOf(error)})`);
  });
  demandFew(parsed.packets.length, file);
  const message = await openpgp.createMessage({ binary: content });
  const options = { message, signature: parsed, verificationKeys: keys, date: latest(judge), config: CONFIG };
  const verified = await openpgp
    .verify({ ...options, format: 'binary' })
    .catch((error: unknown) => refuse(file, error));
  await believe(verified as Verified, file, judge, keys);
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
async function believe({ signatures }: Verified, file: string, judge: Judge, keys: Keys): Promise<void> {
  if (signatures.length === 0) throw new StreamError(`${file}: expected a signature, found none`);
  const faults: string[] = [];
  for (const each of signatures) {
    const fault = await faultOf(each, keys, judge);
    if (fault === undefined) return;
    faults.push(`key ${hexOf(each.keyID)}: ${fault}`);
  }
  const known = keys.map((key) => hexOf(key.getKeyID())).join(', ');
  throw new StreamError(`${file}: signature refused: ${faults.join('; ')} (${judge.keyring.file} has ${known})`);
}

/**
 * Why a signature is not believed. What time it says is up to whoever has the key: one of before a key's end may have been made after
 * it, by whoever found the key. So a key that has expired or is revoked, for whatever reason, has signed nothing; apt holds it so,
 * where gpgv alone would still call the signature good. Whose key goes on gets a ring with its new end.
 */
async function faultOf({ keyID, signature, verified }: Signed, keys: Keys, judge: Judge): Promise<string | undefined> {
  const key = keys.find((each) => each.getKeys(keyID).length > 0);
  if (!key) return 'is not in the keyring';
  const at = latest(judge);
  try {
    const made = (await signature).packets[0]?.created;
    if (made && made > at) return `signed at ${timeOf(made)}, and by the clock here it is ${timeOf(judge.now)}`;
    if (await key.isRevoked(undefined, undefined, at)) return 'is revoked';
    const end = await key.getExpirationTime();
    if (end instanceof Date && end <= at) return `expired at ${timeOf(end)}`;
    await key.getSigningKey(keyID, at);
    await verified;
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** The latest that it may be, where the signature was made. */
function latest({ now }: Judge): Date {
  return new Date(now + CLOCK_SKEW);
}

function demandFew(signatures: number, file: string): void {
  if (signatures <= MOST_SIGNATURES) return;
  throw new StreamError(`${file}: expected at most ${MOST_SIGNATURES} signatures, found ${signatures}`);
}

function hasFewLines(text: string): boolean {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0 && lines <= MOST_LINES; at = text.indexOf('\n', at + 1)) lines++;
  return lines <= MOST_LINES;
}

/** What the library throws of a signature that makes no sense. */
function refuse(file: string, error: unknown): never {
  throw new StreamError(`${file}: signature refused: ${reasonOf(error)}`);
}

function timeOf(time: Date | number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

function hexOf(keyID: KeyID): string {
  return keyID.toHex().toUpperCase();
}

function asArmour(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1').trimStart();
  return head.startsWith(ARMOUR) ? Buffer.from(bytes).toString('utf8') : undefined;
}

function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return message.replaceAll(/\s+/g, ' ').trim();
}
