import type { Socket } from 'node:net';

/**
 * Node keeps it to itself, and from one turn to the next it may be closed and its number be another's: asked for each
 * time, and used before anything else can run.
 */
export function descriptorOf(socket: Socket): number | undefined {
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: unknown } | null };
  const fd = handle?.fd;
  return typeof fd === 'number' && fd >= 0 && !socket.destroyed ? fd : undefined;
}
