/*
 * Says ARP on client0 as if it were other machines: `node arp-client.ts MAC ADDRESS [TAGS]`, with TAGS as they stand in the frame, like
 * 81000064. Run inside the clients' namespace.
 */
import { loadLibc } from '../../src/system/libc.ts';
import { FrameTaps, openFrameTap } from '../../src/system/frame-tap.ts';
import { ARP_SNAP, arpFilter } from '../../src/system/packet-filter.ts';

const [, , mac = '', address = '', tags = ''] = process.argv;
const libc = loadLibc();
const ifindex = libc.if_nametoindex('client0');
const tap = new FrameTaps(libc).adopt(openFrameTap(libc, ifindex, arpFilter()), ifindex, ARP_SNAP);
const hardware = mac.replaceAll(':', '');
const protocol = Buffer.from(address.split('.').map(Number)).toString('hex');
const arp = `0001 0800 06 04 0001 ${hardware} ${protocol} 000000000000 ${protocol}`;
tap.send(Buffer.from(`ffffffffffff${hardware}${tags}0806${arp}`.replaceAll(' ', ''), 'hex'));
process.exitCode = tap.flush();
