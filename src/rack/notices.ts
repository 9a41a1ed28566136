import { describeEvent } from '../timeline/describe-event.ts';
import type { RackEvent } from '../timeline/event.ts';

/** What stands until another event takes it back; without one it stands until the next start. */
const STANDING: ReadonlySet<string> = new Set([
  'dhcp.store-failed',
  'dhcp.store-replaced',
  'dhcp.conflict-check-off',
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
]);
const ENDED_BY: ReadonlyMap<string, string> = new Map([
  ['dhcp.store-works', 'dhcp.store-failed'],
  ['boot.store-works', 'boot.store-failed'],
  ['image.removal-resumed', 'image.removal-held'],
  ['dns.keys-work', 'dns.keys-failed'],
  ['dns.store-works', 'dns.store-failed'],
  ['dhcp.conflict-check-on', 'dhcp.conflict-check-off'],
  ['http.certificate-loaded', 'http.certificate-failed'],
  ['dns.upstream-works', 'dns.upstream-failed'],
  ['dns.upstream-dismissed', 'dns.upstream-failed'],
  ['dns.tls-works', 'dns.tls-failed'],
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
    if (event.kind === 'service.failed') this.#forgetUpstreams(event.service);
    if (STANDING.has(event.kind)) {
      const line = `${new Date(event.at).toISOString()} ${event.source}: ${describeEvent(event)}`;
      this.#standing.set(keyOf(event.kind, event), line);
    }
  }

  #forgetUpstreams(service: string): void {
    const kind = service === 'dot' ? 'dns.tls-failed' : service === 'dns' ? 'dns.upstream-failed' : undefined;
    if (kind === undefined) return;
    for (const key of this.#standing.keys()) if (key.startsWith(`${kind} `)) this.#standing.delete(key);
  }
}

/** Of upstreams each has troubles of its own. */
function keyOf(kind: string, event: RackEvent): string {
  return 'upstream' in event ? `${kind} ${event.upstream}` : kind;
}
