import { readIp4, UNSPECIFIED, LIMITED_BROADCAST, type Ip4 } from '../addr/ip4.ts';
import { BROADCAST_MAC, readMac, writeMac, type Mac } from '../addr/mac.ts';
import { writeIpDatagram } from '../system/ip-datagram.ts';
import { MessageType } from '../wire/dhcp/message-type.ts';
import { OptionCode } from '../wire/dhcp/option-code.ts';
import { decodeU8 } from '../wire/dhcp/options/integer.ts';
import { decodeIp4 } from '../wire/dhcp/options/ip4.ts';
import {
  BOOTREPLY,
  BOOTREQUEST,
  BROADCAST_FLAG,
  decodeDhcp,
  encodeDhcp,
  type DhcpPacket,
} from '../wire/dhcp/packet.ts';
import { encodeEthernet, ETHERTYPE_IPV4, type EthernetFrame } from '../wire/ethernet/frame.ts';
import { readUdpDatagram } from '../wire/ip/udp-datagram.ts';

const SERVER_PORT = 67;
const CLIENT_PORT = 68;
/** Headers, and a DISCOVER with few options. */
const LONGEST_FRAME = 400;
/** Told to servers that log what they are asked. */
const VENDOR_CLASS = 'rackboot-probe';

/** What one message says of a DHCP server. */
export interface ServerWord {
  /** As it calls itself, else where its packet came from. */
  readonly server: Ip4;
  /** By which way its packet came; absent when a client spoke of it. */
  readonly sender?: Ip4;
  readonly mac?: Mac;
  /** Whom it answers. */
  readonly client?: Mac;
  readonly offered?: Ip4;
  readonly router?: Ip4;
  readonly bootFile?: string;
}

const REPLIES: ReadonlySet<number> = new Set([MessageType.offer, MessageType.ack, MessageType.nak]);

/**
 * What a frame says of a server: its own OFFER, ACK or NAK, or a client's REQUEST that names it, which is heard everywhere where a switch keeps
 * the replies from us. Undefined: nothing. Throws WireError when it can't be read.
 */
export function readServerWord({ source, payload }: EthernetFrame): ServerWord | undefined {
  const datagram = readUdpDatagram(payload);
  if (!datagram) return undefined;
  const packet = decodeDhcp(datagram.payload);
  const type = decodeU8(packet.options.get(OptionCode.messageType)) ?? 0;
  const named = decodeIp4(packet.options.get(OptionCode.serverId));
  if (packet.op === BOOTREPLY && REPLIES.has(type)) {
    const server = named ?? datagram.source;
    return { server, sender: datagram.source, mac: source, client: readMac(packet.chaddr, 0), ...contentOf(packet) };
  }
  const isChoice = packet.op === BOOTREQUEST && type === MessageType.request && named !== undefined;
  const requested = decodeIp4(packet.options.get(OptionCode.requestedAddress));
  return isChoice ? { server: named, ...(requested !== undefined && { offered: requested }) } : undefined;
}

function contentOf({ yiaddr, file, options }: DhcpPacket): Pick<ServerWord, 'offered' | 'router' | 'bootFile'> {
  const router = options.get(OptionCode.router);
  const bootFile = options.get(OptionCode.bootFileName);
  const name = bootFile ? String.fromCharCode(...bootFile.subarray(0, 127)) : file;
  const plain = name.replaceAll(/[^\x20-\x7e]/g, '');
  return {
    ...(yiaddr !== UNSPECIFIED && { offered: yiaddr }),
    ...(router && router.length >= 4 && { router: readIp4(router, 0) }),
    ...(plain !== '' && { bootFile: plain }),
  };
}

/**
 * A DISCOVER, as a whole frame. It comes from our own card, as a switch may take it amiss that another MAC is on our port, and asks in the name of
 * `client`. Answers are to be broadcast: to that MAC no switch knows the way. It asks for no lease: an offer binds nobody and ends by itself.
 */
export function discoverFrame(card: Mac, client: Mac, xid: number): Uint8Array {
  const chaddr = new Uint8Array(6);
  writeMac(chaddr, 0, client);
  const message = new Uint8Array(LONGEST_FRAME);
  const none = UNSPECIFIED;
  const size = encodeDhcp(
    {
      op: BOOTREQUEST,
      htype: 1,
      hlen: 6,
      hops: 0,
      xid,
      secs: 0,
      flags: BROADCAST_FLAG,
      ciaddr: none,
      yiaddr: none,
      siaddr: none,
      giaddr: none,
      chaddr,
      sname: '',
      file: '',
      options: [
        { code: OptionCode.messageType, value: Uint8Array.of(MessageType.discover) },
        { code: OptionCode.vendorClass, value: new TextEncoder().encode(VENDOR_CLASS) },
        { code: OptionCode.parameterList, value: PARAMETERS },
      ],
    },
    message,
  );
  const frame = new Uint8Array(LONGEST_FRAME);
  const header = encodeEthernet(frame, { destination: BROADCAST_MAC, source: card, type: ETHERTYPE_IPV4 });
  const to = { ifindex: 0, mac: BROADCAST_MAC, source: none, sourcePort: CLIENT_PORT };
  const length = writeIpDatagram(frame, header, message.subarray(0, size), {
    ...to,
    address: LIMITED_BROADCAST,
    port: SERVER_PORT,
  });
  return frame.subarray(0, header + length);
}

const PARAMETERS = Uint8Array.of(OptionCode.subnetMask, OptionCode.router, OptionCode.dns, OptionCode.bootFileName);
