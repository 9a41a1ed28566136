import { randomBytes } from 'node:crypto';

/** consumer:token:secret, as it is shown once. */
export interface ApiKey {
  readonly consumer: string;
  readonly token: string;
  readonly secret: string;
}

export function parseApiKey(text: string): ApiKey | undefined {
  const match = /^([\w-]+):([\w-]+):([\w-]+)$/.exec(text.trim());
  if (!match) return undefined;
  const [, consumer = '', token = '', secret = ''] = match;
  return { consumer, token, secret };
}

/** OAuth 1.0 with PLAINTEXT (RFC 5849 §3.4.4): the consumer has no secret, so the signature is & and that of the token. `now`: Unix milliseconds. */
export function authorizationOf({ consumer, token, secret }: ApiKey, now: number): string {
  const words = {
    oauth_version: '1.0',
    oauth_signature_method: 'PLAINTEXT',
    oauth_consumer_key: consumer,
    oauth_token: token,
    oauth_signature: `&${secret}`,
    oauth_nonce: randomBytes(8).toString('hex'),
    oauth_timestamp: String(Math.floor(now / 1000)),
  };
  return `OAuth ${Object.entries(words)
    .map(([name, value]) => `${name}="${encodeURIComponent(value)}"`)
    .join(', ')}`;
}
