import { describeEvent } from '../timeline/describe-event.ts';
import type { RackEvent } from '../timeline/event.ts';

/** "14:03:07.123 dhcp 52:54:00:12:34:56 192.168.127.221 asks for an address" */
export function formatEvent(event: RackEvent): string {
  const time = new Date(event.at).toISOString().slice(11, 23);
  const subject = [event.mac, event.address].filter((part) => part !== undefined).join(' ');
  return `${time} ${event.source.padEnd(4)} ${subject === '' ? '' : `${subject} `}${describeEvent(event)}`;
}
