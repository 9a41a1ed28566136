import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256 in hex: enough for a secret of 256 random bits, which nobody can try out. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** In the same time whatever they are; both in hex. */
export function isSameHash(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
