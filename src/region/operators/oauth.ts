import type { KeyParts } from './keys.ts';

/**
 * Reads `Authorization: OAuth …` with the signature method PLAINTEXT (RFC 5849 §3.4.4), where the secret itself is the signature and
 * the consumer's is empty. Undefined when it is anything else. Time and nonce prove nothing by that method, and clocks are off.
 */
export function readOAuth(header: string): KeyParts | undefined {
  if (!/^OAuth\s/i.test(header) || header.length > 2_000) return undefined;
  const words = new Map<string, string>();
  for (const [, name = '', value = ''] of header.slice(5).matchAll(/([A-Za-z_]+)="([^"]*)"/g)) {
    words.set(name.toLowerCase(), decoded(value));
  }
  const method = words.get('oauth_signature_method');
  const signature = words.get('oauth_signature');
  const [consumer, token] = [words.get('oauth_consumer_key'), words.get('oauth_token')];
  if (method !== 'PLAINTEXT' || !signature?.startsWith('&') || consumer === undefined || token === undefined)
    return undefined;
  return { consumer, token, secret: signature.slice(1) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
