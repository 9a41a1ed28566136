import { join } from 'node:path';

import { LeaseBook } from '../leases/lease-book.ts';
import { openLeaseStore } from '../leases/open-lease-store.ts';
import { runOnPollLoop } from '../service/run-on-poll-loop.ts';
import { ArpSocket } from '../system/arp-socket.ts';
import { LinkSocket } from '../system/link-socket.ts';
import { DhcpService } from './dhcp-service.ts';

runOnPollLoop(
  (context) =>
    new DhcpService({
      ...context,
      rest: (milliseconds) => context.loop.rest(milliseconds),
      openSocket: (handle) =>
        context.tap.datagrams(context.sockets.adopt(handle.fd), { address: handle.address, port: () => handle.port }),
      openLink: (handle) => context.tap.link(new LinkSocket(context.libc, handle.fd)),
      openArp: (handle) => new ArpSocket(context.libc, handle.fd, handle.ifindex ?? 0),
      openBook: (plan) => {
        const { store, replaced } = openLeaseStore(join(plan.rack.state, 'leases.db'), context.clock);
        if (replaced) context.events.emit({ kind: 'dhcp.store-replaced', ...replaced });
        return new LeaseBook(store);
      },
    }),
);
