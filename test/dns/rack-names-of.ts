import { RackNames, type RackNamesDependencies } from '../../src/dns/rack-names.ts';
import type { Loop } from '../../src/system/loop.ts';
import { PlainPublisher } from './plain-publisher.ts';

/** A loop for work that is done at once. */
const NO_LOOP: Loop = {
  watch: () => {
    throw new Error('nothing is watched here');
  },
  after: () => {
    throw new Error('no timers here');
  },
};

/** The names of a rack whose clock stands still, so that whatever it does is done when it returns. */
export function rackNamesOf(dependencies: Partial<RackNamesDependencies> = {}): RackNames {
  const clock = { now: () => 0, monotonic: () => 0 };
  return new RackNames({ loop: NO_LOOP, clock, publisher: new PlainPublisher(), ...dependencies });
}
