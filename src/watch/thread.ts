import { join } from 'node:path';

import { runOnPollLoop } from '../service/run-on-poll-loop.ts';
import { FrameTaps } from '../system/frame-tap.ts';
import { readOwnMacs } from '../system/own-macs.ts';
import { ARP_SNAP, DHCP_SNAP } from '../system/packet-filter.ts';
import { openNeighbourStore } from './neighbour-store.ts';
import { WatchService } from './watch-service.ts';

runOnPollLoop((context) => {
  const taps = new FrameTaps(context.libc);
  return new WatchService({
    ...context,
    random: Math.random,
    ownMacs: () => readOwnMacs(),
    rest: (milliseconds) => context.loop.rest(milliseconds),
    openTap: ({ fd, ifindex = 0, transport }) =>
      taps.adopt(fd, ifindex, transport === 'arp-tap' ? ARP_SNAP : DHCP_SNAP),
    openStore: (plan) => {
      const { store, replaced } = openNeighbourStore(join(plan.rack.state, 'neighbours.db'), context.clock.now());
      if (replaced) context.events.emit({ kind: 'watch.store-replaced', ...replaced });
      return store;
    },
  });
});
