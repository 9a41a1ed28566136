import type { Logger } from 'pino';

import { describeEvent } from '../timeline/describe-event.ts';
import type { RackEvent } from '../timeline/event.ts';

const ERRORS: ReadonlySet<string> = new Set([
  'plan.refused',
  'service.failed',
  'dhcp.store-failed',
  'dhcp.store-replaced',
]);
const WARNINGS: ReadonlySet<string> = new Set([
  'dhcp.exhausted',
  'dhcp.store-works',
  'dhcp.clock-set',
  'dhcp.decline',
  'dhcp.nak',
  'tftp.failed',
  'tftp.refused',
  'http.failed',
  'http.refused',
]);

/** The log is the timeline in another coat: each event is one line. */
export function logEvent(log: Logger, event: RackEvent): void {
  const { at: _at, ...fields } = event;
  const sentence = describeEvent(event);
  if (ERRORS.has(event.kind)) log.error(fields, sentence);
  else if (WARNINGS.has(event.kind)) log.warn(fields, sentence);
  else log.info(fields, sentence);
}
