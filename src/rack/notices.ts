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
  'http.certificate-failed',
]);
const ENDED_BY: ReadonlyMap<string, string> = new Map([
  ['dhcp.store-works', 'dhcp.store-failed'],
  ['boot.store-works', 'boot.store-failed'],
  ['dhcp.conflict-check-on', 'dhcp.conflict-check-off'],
  ['http.certificate-loaded', 'http.certificate-failed'],
]);

/** Trouble that lasts: what an operator who looks now should still see, although its event was told long ago. */
export class Notices {
  readonly #standing = new Map<string, string>();

  all(): string[] {
    return [...this.#standing.values()];
  }

  learn(event: RackEvent): void {
    const ended = ENDED_BY.get(event.kind);
    if (ended !== undefined) this.#standing.delete(ended);
    if (STANDING.has(event.kind)) {
      this.#standing.set(event.kind, `${new Date(event.at).toISOString()} ${event.source}: ${describeEvent(event)}`);
    }
  }
}
