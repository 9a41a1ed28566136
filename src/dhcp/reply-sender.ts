import { LIMITED_BROADCAST } from '../addr/ip4.ts';
import type { SocketHandle } from '../service/letters.ts';
import type { DatagramSocket, LinkSender } from '../system/datagram.ts';
import { encodeDhcp } from '../wire/dhcp/packet.ts';
import type { Exchange } from './exchange.ts';
import { fitOptions } from './fit-options.ts';
import type { DhcpReply } from './reply.ts';
import { replyAddress, SERVER_PORT } from './reply-address.ts';

const HEADERS = 28;
/** What every client must take (RFC 2131 §2), and the most that one Ethernet frame carries. */
const SMALLEST_LIMIT = 576 - HEADERS;
const LARGEST_LIMIT = 1500 - HEADERS;
/** RFC 951 §3; many a BOOTP client takes no more (RFC 1542 §2.1). */
const BOOTP_LIMIT = 300;

/** The ways out of the socket that a message was heard on. */
export interface WayBack {
  readonly handle: SocketHandle;
  readonly socket: DatagramSocket;
  /** Absent where there is no raw socket. */
  readonly link: LinkSender | undefined;
}

/** Writes replies and queues them on the way RFC 2131 §4.1 wants. */
export class ReplySender {
  readonly #buffer = new Uint8Array(LARGEST_LIMIT);

  /** False when some of the reply's options had to be left out. */
  send(reply: DhcpReply, { client, rackAddress: source }: Exchange, way: WayBack): boolean {
    const limit = reply.answers === 'bootp' ? BOOTP_LIMIT : sizeLimit(client.maxMessageSize);
    const options = fitOptions(reply.options, limit);
    const isWhole = options.length === reply.options.length;
    const message = isWhole ? reply : { ...reply, options };
    const bytes = this.#buffer.subarray(0, encodeDhcp(message, this.#buffer, limit));
    const to = replyAddress(reply);
    const { ifindex } = way.handle;
    if (to.kind === 'link' && way.link && ifindex !== undefined) {
      const { address, port } = to;
      way.link.send(bytes, { ifindex, mac: client.mac, source, sourcePort: SERVER_PORT, address, port });
    } else {
      // Without a raw socket a broadcast reaches the client just as well, and everyone else too
      const address = to.kind === 'link' ? LIMITED_BROADCAST : to.address;
      way.socket.send(bytes, { address, port: to.port, source, ...(ifindex === undefined ? {} : { ifindex }) });
    }
    return isWhole;
  }
}

/** Bytes of UDP payload. OVMF says 65280 in its REQUEST. */
function sizeLimit(maxMessageSize = 576): number {
  return Math.min(Math.max(maxMessageSize - HEADERS, SMALLEST_LIMIT), LARGEST_LIMIT);
}
