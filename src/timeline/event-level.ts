/** How much an event matters to whoever keeps racks. */
export type EventLevel = 'error' | 'warn' | 'info' | 'debug';

export const ERRORS: ReadonlySet<string> = new Set([
  'plan.refused',
  'region.plan-refused',
  'region.plan-lost',
  'service.failed',
  'dhcp.store-failed',
  'dhcp.store-replaced',
  'boot.store-failed',
  'boot.store-replaced',
  'http.certificate-failed',
  'image.spoilt',
  'image.index-replaced',
  'image.removal-held',
  'watch.store-failed',
  'watch.store-replaced',
  'zone.refused',
  'region.refused',
  'region.outbox-failed',
  'region.outbox-replaced',
  'region.doubled',
]);
export const WARNINGS: ReadonlySet<string> = new Set([
  'region.lost',
  'region.forgotten',
  'region.record-refused',
  'region.went-back',
  'region.key-restored',
  'region.clock-wrong',
  'region.outbox-works',
  'dns.upstream-failed',
  'dns.upstream-forged',
  'dns.upstream-works',
  'dns.tls-failed',
  'dns.tls-works',
  'boot.held',
  'conflict.began',
  'conflict.hidden',
  'dhcp-server.found',
  'dhcp-server.hidden',
  'watch.blind',
  'watch.store-works',
  'boot.store-works',
  'dhcp.exhausted',
  'dhcp.range-claimed',
  'dhcp.store-works',
  'dhcp.clock-set',
  'dhcp.decline',
  'dhcp.nak',
  'tftp.failed',
  'tftp.refused',
  'http.failed',
  'http.refused',
  'image.refused',
  'image.removal-resumed',
]);

/** As often as all machines say something in ten minutes. */
export const DETAILS: ReadonlySet<string> = new Set(['neighbour.refreshed']);

export function levelOf(kind: string): EventLevel {
  if (DETAILS.has(kind)) return 'debug';
  if (ERRORS.has(kind)) return 'error';
  return WARNINGS.has(kind) ? 'warn' : 'info';
}
