import { join } from 'node:path';

import { UNSPECIFIED } from '../addr/ip4.ts';
import { runOnPollLoop } from '../service/run-on-poll-loop.ts';
import { TcpStreams } from '../system/tcp-streams.ts';
import { openZoneStore } from '../zones/open-zone-store.ts';
import { DnsService } from './dns-service.ts';

runOnPollLoop((context) => {
  const { libc, loop, clock, sockets } = context;
  return new DnsService(context, {
    openSocket: ({ fd }) => sockets.adopt(fd),
    openOwnSocket: () => sockets.open({ address: UNSPECIFIED, port: 0 }),
    streams: new TcpStreams(libc, loop),
    openStore: (state) => openZoneStore(join(state, 'zones.db'), clock.now()),
  });
});
