/*
 * Firmware whose boot goes wrong, written apart from the rack's own codecs. Usage: broken-client.ts RACK MAC STEP…
 *   pxe | ipxe | bare  asks for an address as a UEFI ROM, as an iPXE, as a system; waits for the offer, but with the step `silent`
 *   take               requests what it was offered, waits for the ACK and puts the address on client0
 *   take-of=SERVER     requests an address of another server
 *   decline            says that its address is in use
 *   tftp=FILE          fetches it, or is refused it
 *   size=FILE          asks for its size and no more
 *   lost=FILE          asks for it in large blocks of which none arrives, and begins anew from the same port
 *   http=PATH          fetches it, or is refused it
 * Prints nothing; exit code 1 when something does not go as said.
 */
import { spawnSync } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';

import { ACK, DECLINE, DISCOVER, letters, OFFER, quad, readReply, REQUEST, writePacket } from '../dhcp/naive-packet.ts';

const [, , rack = '', mac = '', ...steps] = process.argv;
const PATIENCE = 4_000;
const ARCH_7: readonly (readonly [number, readonly number[]])[] = [
  [93, [0, 7]],
  [60, letters('PXEClient:Arch:00007:UNDI:003016')],
  [55, [1, 3, 6, 66, 67]],
];

let client: readonly (readonly [number, readonly number[]])[] = [];
let address = '';
let xid = 0x2000_0000;

/** Sends a DHCP message, and waits for a reply of this type. */
async function dhcp(
  type: number,
  options: readonly (readonly [number, readonly number[]])[],
  wanted?: number,
): Promise<void> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.bind(68);
  await once(socket, 'listening');
  socket.setBroadcast(true);
  const packet = writePacket({ type, mac, xid, broadcast: true, options: [...client, ...options] });
  await new Promise((resolve) => socket.send(packet, 67, '255.255.255.255', resolve));
  try {
    if (wanted !== undefined) address = await replyOf(socket, wanted);
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

/** The address in the next reply of this type to what was asked. */
async function replyOf(socket: Socket, wanted: number): Promise<string> {
  for (;;) {
    const [bytes] = (await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE) })) as [Buffer];
    const { type, yiaddr, ...reply } = readReply(bytes);
    if (reply.xid === xid && type === wanted) return yiaddr;
  }
}

async function discover(as: typeof client): Promise<void> {
  client = as;
  xid++;
  await dhcp(DISCOVER, [], steps.includes('silent') ? undefined : OFFER);
}

async function take(): Promise<void> {
  await dhcp(
    REQUEST,
    [
      [50, quad(address)],
      [54, quad(rack)],
    ],
    ACK,
  );
  spawnSync('ip', ['address', 'replace', `${address}/24`, 'dev', 'client0']);
}

/** The packets of a read, each to be answered by what is given for it; ends when nothing is. */
async function tftp(
  file: string,
  options: readonly string[],
  answer: (packet: Buffer, first: Buffer) => Buffer | undefined,
): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  const rrq = Buffer.from(['\0\x01' + file, 'octet', ...options, ''].join('\0'), 'latin1');
  socket.send(rrq, 69, rack);
  for (;;) {
    const [packet, from] = (await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE) })) as [
      Buffer,
      { port: number },
    ];
    const said = answer(packet, rrq);
    if (!said) break;
    const isRequest = said[1] === 1;
    socket.send(said, isRequest ? 69 : from.port, rack);
    if (packet[1] === 3 && packet.length < 516) break;
    if (said[1] === 5) break;
  }
  // What was sent last is to leave before the port is gone
  await new Promise<void>((resolve) => setImmediate(() => socket.close(() => resolve())));
}

function fetchByTftp(file: string): Promise<void> {
  return tftp(file, [], (packet) =>
    packet[1] === 3 ? Buffer.from([0, 4, packet[2] ?? 0, packet[3] ?? 0]) : undefined,
  );
}

/** As many a UEFI: takes the OACK and gives up there. */
function askSize(file: string): Promise<void> {
  return tftp(file, ['tsize', '0', 'blksize', '1468'], () =>
    Buffer.from('\0\x05\0\0User aborted the transfer\0', 'latin1'),
  );
}

async function loseBlocks(file: string): Promise<void> {
  let blocks = 0;
  await tftp(file, ['blksize', '1468'], (packet, rrq) => {
    if (packet[1] === 6) return Buffer.from([0, 4, 0, 0]);
    // Once more from the beginning, and then never again
    return blocks++ === 0 ? rrq : undefined;
  });
}

async function http(path: string): Promise<void> {
  const outgoing = request({ host: rack, port: 5248, path, localAddress: address, agent: false }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  await response.resume().toArray();
}

const IPXE: typeof client = [...ARCH_7, [77, letters('iPXE')], [175, [19, 1, 1]]];

async function play(step: string): Promise<void> {
  const [verb = '', operand = ''] = step.split(/=(.*)/s);
  if (verb === 'pxe') await discover(ARCH_7);
  else if (verb === 'ipxe') await discover(IPXE);
  else if (verb === 'bare') await discover([]);
  else if (verb === 'take') await take();
  else if (verb === 'take-of')
    await dhcp(REQUEST, [
      [50, quad('192.168.127.77')],
      [54, quad(operand)],
    ]);
  else if (verb === 'decline')
    await dhcp(DECLINE, [
      [50, quad(address)],
      [54, quad(rack)],
    ]);
  else if (verb === 'tftp') await fetchByTftp(operand);
  else if (verb === 'size') await askSize(operand);
  else if (verb === 'lost') await loseBlocks(operand);
  else if (verb === 'http') await http(operand);
}

for (const step of steps) await play(step);
