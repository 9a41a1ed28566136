import { runOnPollLoop } from '../service/run-on-poll-loop.ts';
import { PeerSockets } from '../system/peer-socket.ts';
import { CryptoBits } from '../system/random-bits.ts';
import { TcpStreams } from '../system/tcp-streams.ts';
import { DnsService } from './dns-service.ts';
import { Forwarding } from './forward/forwarding.ts';

runOnPollLoop((context) => {
  const { libc, loop, clock, events, sockets } = context;
  const peers = new PeerSockets(libc);
  const connector = new TcpStreams(libc, loop);
  const forwarding = new Forwarding({ loop, clock, events, peers, connector, random: new CryptoBits() });
  return new DnsService(context, (handle) => sockets.adopt(handle.fd), forwarding);
});
