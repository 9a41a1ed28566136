/** How a rack says who it is: `Authorization: Bearer <rack>.<key>`. */
export interface RackCredentials {
  /** The uuid that the region gave it. */
  readonly rack: string;
  /** 32 octets in base64url. */
  readonly key: string;
}

const BEARER = /^Bearer ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([A-Za-z0-9_-]{43})$/;

export function formatAuthorization({ rack, key }: RackCredentials): string {
  return `Bearer ${rack}.${key}`;
}

/** Undefined when it is anything else. */
export function parseAuthorization(header: string | undefined): RackCredentials | undefined {
  const [, rack, key] = BEARER.exec(header ?? '') ?? [];
  return rack === undefined || key === undefined ? undefined : { rack, key };
}
