/** Option 53 (RFC 2132 §9.6). */
export const MessageType = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
} as const;

export type MessageType = (typeof MessageType)[keyof typeof MessageType];

const NAMES = ['', 'DISCOVER', 'OFFER', 'REQUEST', 'DECLINE', 'ACK', 'NAK', 'RELEASE', 'INFORM'] as const;

/** "DISCOVER"; "type 13" for what RFC 2132 does not know. */
export function messageTypeName(type: number): string {
  return NAMES[type] || `type ${type}`;
}
