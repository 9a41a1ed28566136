import { describeEvent } from '../timeline/describe-event.ts';
import type { RackEvent } from '../timeline/event.ts';

/** What stands until another event takes it back; without one it stands until the next start. */
const STANDING: ReadonlySet<string> = new Set([
  'dhcp.store-failed',
  'dhcp.store-replaced',
  'dhcp.conflict-check-off',
  'dhcp.range-claimed',
  'boot.store-failed',
  'boot.store-replaced',
  'image.index-replaced',
  'image.removal-held',
  'http.certificate-failed',
  'dns.upstream-failed',
  'dns.tls-failed',
  'dns.keys-failed',
  'dns.store-failed',
  'dns.store-replaced',
  'conflict.began',
  'conflict.hidden',
  'dhcp-server.found',
  'dhcp-server.hidden',
  'watch.blind',
  'watch.store-failed',
  'region.lost',
  'region.refused',
  'region.forgotten',
  'region.clock-wrong',
  'region.key-failed',
  'region.outbox-failed',
  'region.outbox-replaced',
  'region.doubled',
]);
const ENDED_BY: ReadonlyMap<string, string> = new Map([
  ['dhcp.store-works', 'dhcp.store-failed'],
  ['boot.store-works', 'boot.store-failed'],
  ['image.removal-resumed', 'image.removal-held'],
  ['dns.keys-work', 'dns.keys-failed'],
  ['dns.store-works', 'dns.store-failed'],
  ['dhcp.conflict-check-on', 'dhcp.conflict-check-off'],
  ['dhcp.range-believed', 'dhcp.range-claimed'],
  ['http.certificate-loaded', 'http.certificate-failed'],
  ['dns.upstream-works', 'dns.upstream-failed'],
  ['dns.upstream-dismissed', 'dns.upstream-failed'],
  ['dns.tls-works', 'dns.tls-failed'],
  ['conflict.ended', 'conflict.began'],
  ['conflict.shown', 'conflict.hidden'],
  ['dhcp-server.shown', 'dhcp-server.hidden'],
  ['dhcp-server.gone', 'dhcp-server.found'],
  ['watch.sees', 'watch.blind'],
  ['watch.store-works', 'watch.store-failed'],
  ['region.connected', 'region.lost'],
  ['region.clock-right', 'region.clock-wrong'],
  ['region.key-changed', 'region.key-failed'],
  ['region.outbox-works', 'region.outbox-failed'],
]);

/** Of these two the newer one is what there is to say. */
const IN_PLACE_OF: ReadonlyMap<string, string> = new Map([['region.refused', 'region.lost']]);

/** Of each service that starts anew. */
const TOLD_ANEW: ReadonlyMap<string, readonly string[]> = new Map([
  ['dhcp', ['dhcp.range-claimed']],
  ['dot', ['dns.tls-failed']],
  ['dns', ['dns.upstream-failed']],
  ['watch', ['conflict.began', 'conflict.hidden', 'dhcp-server.found', 'dhcp-server.hidden']],
  ['sync', ['region.lost', 'region.clock-wrong', 'region.key-failed']],
]);

/** Trouble that lasts: what an operator who looks now should still see, although its event was told long ago. */
export class Notices {
  readonly #standing = new Map<string, string>();

  all(): string[] {
    return [...this.#standing.values()];
  }

  learn(event: RackEvent): void {
    const ended = ENDED_BY.get(event.kind);
    if (ended !== undefined) this.#standing.delete(keyOf(ended, event));
    // It tells them anew when it runs again, as far as they are still true
    if (event.kind === 'service.failed') this.#forgetToldBy(event.service);
    if (STANDING.has(event.kind)) {
      const line = `${new Date(event.at).toISOString()} ${event.source}: ${whoOf(event)}${describeEvent(event)}${cardOf(event)}`;
      this.#standing.set(keyOf(IN_PLACE_OF.get(event.kind) ?? event.kind, event), line);
    }
  }

  #forgetToldBy(service: string): void {
    const kinds = TOLD_ANEW.get(service) ?? [];
    for (const key of this.#standing.keys()) if (kinds.includes(key.split(' ', 1)[0] ?? '')) this.#standing.delete(key);
  }
}

/** Of ranges, upstreams, conflicts and strange servers each has troubles of its own. */
function keyOf(kind: string, event: RackEvent): string {
  if ('range' in event) return `${kind} ${event.range}`;
  if ('upstream' in event) return `${kind} ${event.upstream}`;
  if ('conflict' in event && 'interface' in event)
    return `${kind} ${event.conflict} ${event.interface} ${event.address} ${event.mac}`;
  if ('conflict' in event) return `${kind} ${event.conflict}`;
  return 'server' in event && 'interface' in event ? `${kind} ${event.interface} ${event.server}` : kind;
}

/** A conflict is some machine's. */
function whoOf({ kind, mac, address }: RackEvent): string {
  return kind === 'conflict.began' ? `${mac ?? ''} ${address ?? ''} ` : '';
}

/** By which a switch tells the port that a server is on. */
function cardOf({ kind, mac }: RackEvent): string {
  return kind === 'dhcp-server.found' && mac !== undefined ? ` (its MAC is ${mac})` : '';
}
