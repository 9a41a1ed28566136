import { join } from 'node:path';

import { UNSPECIFIED } from '../addr/ip4.ts';
import { runOnPollLoop } from '../service/run-on-poll-loop.ts';
import { PeerSockets } from '../system/peer-socket.ts';
import { CryptoBits } from '../system/random-bits.ts';
import { TcpStreams } from '../system/tcp-streams.ts';
import { openZoneStore } from '../zones/open-zone-store.ts';
import { cookieSecrets } from './cookie-secrets.ts';
import { DnsService } from './dns-service.ts';
import { Forwarding } from './forward/forwarding.ts';

runOnPollLoop((context) => {
  const { libc, loop, clock, events, sockets, tap, cookieKey } = context;
  const streams = new TcpStreams(libc, loop);
  const peers = new PeerSockets(libc);
  return new DnsService(context, {
    openSocket: ({ fd, address, port }) => tap.datagrams(sockets.adopt(fd), { address, port: () => port }),
    openOwnSocket: () => sockets.open({ address: UNSPECIFIED, port: 0 }),
    streams,
    openStore: (state) => openZoneStore(join(state, 'zones.db'), clock.now()),
    secretOf: cookieSecrets(cookieKey),
    forwarding: new Forwarding({ loop, clock, events, peers, connector: streams, random: new CryptoBits() }),
  });
});
