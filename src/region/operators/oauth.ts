import type { KeyParts } from './keys.ts';

const LONGEST_HEADER = 2_000;
/** Whatever has ever been a part of one, MAAS's too. */
const PART = /^[\w.~-]{1,100}$/;

/**
 * Reads `Authorization: OAuth …` with the signature method PLAINTEXT (RFC 5849 §3.4.4), where the secret itself is the signature and
 * the consumer's is empty. Undefined when it is anything else. Time and nonce prove nothing by that method, and clocks are off.
 */
export function readOAuth(header: string): KeyParts | undefined {
  if (!/^OAuth\s/i.test(header) || header.length > LONGEST_HEADER) return undefined;
  const words = new Map<string, string>();
  for (const pair of header.slice(5).split(',')) {
    const [, name = '', value = ''] = /^\s*([A-Za-z_]{1,40})\s*=\s*"([^"]*)"\s*$/.exec(pair) ?? [];
    words.set(name.toLowerCase(), decoded(value));
  }
  const signature = words.get('oauth_signature') ?? '';
  if (words.get('oauth_signature_method') !== 'PLAINTEXT' || !signature.startsWith('&')) return undefined;
  const parts = {
    consumer: words.get('oauth_consumer_key') ?? '',
    token: words.get('oauth_token') ?? '',
    secret: signature.slice(1),
  };
  return Object.values(parts).every((part) => PART.test(part)) ? parts : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
