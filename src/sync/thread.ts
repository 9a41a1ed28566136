import { join } from 'node:path';

import { runOnEventLoop } from '../service/run-on-event-loop.ts';
import { programVersion } from '../system/version.ts';
import { yieldToOthers } from '../system/yield-to-others.ts';
import { connectRegion } from './connect-region.ts';
import { openOutbox } from './open-outbox.ts';
import { SyncService } from './sync-service.ts';

yieldToOthers();
const version = programVersion();
runOnEventLoop(
  (context) =>
    new SyncService(context, {
      random: Math.random,
      version,
      connect: connectRegion,
      openOutbox: (state, bounds) => openOutbox(join(state, 'outbox.db'), context.clock, bounds),
    }),
);
