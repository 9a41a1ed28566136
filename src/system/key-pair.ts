import { createHash, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** A certificate with its chain, and its private key, as PEM. Never logged, never part of a Plan. */
export interface KeyPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface LoadedPair {
  readonly pair: KeyPair;
  /** Of both files: tells that they changed, and nothing of the key. */
  readonly digest: string;
  /** The names the certificate is for. */
  readonly subject: string;
  /** Unix milliseconds. */
  readonly notAfter: number;
}

/** The message is one plain clause about the files, without anything of what is in them. */
export class KeyPairError extends Error {
  override readonly name = 'KeyPairError';
}

/** Reads a certificate and its key, both PEM, and sees that they belong together. Throws KeyPairError. */
export function readKeyPair(certificateFile: string, keyFile: string): LoadedPair {
  const cert = read(certificateFile);
  const key = read(keyFile);
  const certificate = parseCertificate(cert, certificateFile);
  if (!certificate.checkPrivateKey(parseKey(key, keyFile))) {
    throw new KeyPairError(`${keyFile} is not the key of ${certificateFile}`);
  }
  tryServer({ cert, key }, certificateFile);
  return {
    pair: { cert, key },
    digest: createHash('sha256').update(cert).update(key).digest('hex'),
    subject: certificate.subjectAltName ?? certificate.subject.replaceAll('\n', ', '),
    notAfter: Date.parse(certificate.validTo),
  };
}

/** What follows the certificate in its file must be sound too: a TLS server takes all of it. */
function tryServer(pair: KeyPair, file: string): void {
  try {
    createSecureContext(pair);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new KeyPairError(`${file} can't be served by TLS (${code}): is its chain whole?`);
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new KeyPairError(`${file} can't be read (${code})`);
  }
}

function parseCertificate(pem: Buffer, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new KeyPairError(`${file} holds no certificate in PEM`);
  }
}

function parseKey(pem: Buffer, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new KeyPairError(`${file} holds no private key in PEM without a passphrase`);
  }
}
