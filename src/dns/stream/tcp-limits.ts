/** What TCP clients may take. */
export interface TcpLimits {
  /** Connections in all, and of one address. */
  readonly connections: number;
  readonly perClient: number;
  /** Milliseconds a connection may be idle while there are few, and when there is no room for more. */
  readonly idle: number;
  readonly crowdedIdle: number;
  /** Queries of one connection that wait for their replies; bytes that it may leave unread. */
  readonly outstanding: number;
  readonly unread: number;
  /** Bytes left unread by all connections together. */
  readonly unsent: number;
  /** Bytes of messages that are not whole yet, of all connections together. */
  readonly partial: number;
}

/**
 * RFC 7766 §6.2: idle for "in the order of seconds". 4,096 connections are some 20 MB in the kernel and 4 MB here; a flood of
 * them costs their owner as much.
 */
export const TCP_LIMITS: TcpLimits = {
  connections: 4096,
  perClient: 256,
  idle: 30_000,
  crowdedIdle: 2_000,
  outstanding: 100,
  unread: 128 * 1024,
  unsent: 64 * 1024 * 1024,
  partial: 16 * 1024 * 1024,
};

/** How long a connection may be idle with so many open: all of it up to a quarter of what there is room for, then ever less. */
export function idleTimeout(limits: TcpLimits, open: number): number {
  const crowd = Math.max(0, open / limits.connections - 0.25) / 0.75;
  return Math.round(limits.idle - (limits.idle - limits.crowdedIdle) * Math.min(1, crowd));
}
