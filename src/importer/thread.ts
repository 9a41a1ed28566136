import { constants, setPriority } from 'node:os';

import { runOnEventLoop } from '../service/run-on-event-loop.ts';
import { createImporterService } from './importer-service.ts';

yieldToOthers();
runOnEventLoop(createImporterService);

/** On Linux that is of this thread alone: a machine that waits for an answer comes before the hash of a gigabyte. */
function yieldToOthers(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // Where it is not permitted it imports all the same
  }
}
