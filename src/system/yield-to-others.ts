import { constants, setPriority } from 'node:os';

/** On Linux that is of this thread alone: a machine that waits for an answer comes before what nobody waits for. */
export function yieldToOthers(): void {
  try {
    setPriority(constants.priority.PRIORITY_LOW);
  } catch {
    // Where it is not permitted the work is done all the same
  }
}
