import type { Logger } from 'pino';

import { describeEvent } from '../timeline/describe-event.ts';
import { levelOf } from '../timeline/event-level.ts';
import type { RackEvent } from '../timeline/event.ts';

/** The log is the timeline in another coat: each event is one line. */
export function logEvent(log: Logger, event: RackEvent): void {
  const level = levelOf(event.kind);
  if (!log.isLevelEnabled(level)) return;
  const { at: _at, ...fields } = event;
  log[level](fields, describeEvent(event));
}
