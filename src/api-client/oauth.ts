/** consumer:token:secret, as it is shown once. */
export interface ApiKey {
  readonly consumer: string;
  readonly token: string;
  readonly secret: string;
}

/** Undefined when it is no key. */
export function parseApiKey(text: string): ApiKey | undefined {
  const match = /^([\w.~-]{1,200}):([\w.~-]{1,200}):([\w.~-]{1,200})$/.exec(text.trim());
  if (!match) return undefined;
  const [, consumer = '', token = '', secret = ''] = match;
  return { consumer, token, secret };
}

/**
 * OAuth 1.0 with PLAINTEXT (RFC 5849 §3.4.4): the consumer has no secret, so the signature is & and that of the token. `now`: Unix
 * milliseconds. `nonce`: another one each time (§3.3).
 */
export function authorizationOf({ consumer, token, secret }: ApiKey, now: number, nonce: string): string {
  const words = {
    oauth_version: '1.0',
    oauth_signature_method: 'PLAINTEXT',
    oauth_consumer_key: consumer,
    oauth_token: token,
    oauth_signature: `&${secret}`,
    oauth_nonce: nonce,
    oauth_timestamp: String(Math.floor(now / 1000)),
  };
  return `OAuth ${Object.entries(words)
    .map(([name, value]) => `${name}="${encodeURIComponent(value)}"`)
    .join(', ')}`;
}

/** Anything shorter is no secret, and is part of other words. */
const LEAST_SECRET = 8;

/** A text in which nothing is left of the key's secret, whoever put it there. */
export function withoutSecret(text: string, { secret }: ApiKey): string {
  return secret.length < LEAST_SECRET ? text : text.replaceAll(secret, '(not shown)');
}
