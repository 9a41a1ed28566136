import { describeEvent } from '../timeline/describe-event.ts';
import type { RackEvent } from '../timeline/event.ts';
import { streamFromDaemon } from './control-client.ts';

export interface EventsOptions {
  readonly control: string;
  readonly json: boolean;
  readonly follow: boolean;
  readonly mac?: string;
  readonly limit?: string;
  /** Ends following. */
  readonly stop: AbortSignal;
}

/** `rackboot events`: the timeline, of all machines or one; with `follow`, until interrupted. */
export async function events(options: EventsOptions, out: (line: string) => void): Promise<number> {
  const query = new URLSearchParams();
  if (options.mac !== undefined) query.set('mac', options.mac);
  if (options.limit !== undefined) query.set('limit', options.limit);
  if (options.follow) query.set('follow', '1');
  for await (const line of streamFromDaemon(options.control, `/events?${query.toString()}`, options.stop)) {
    out(options.json ? line : formatEvent(JSON.parse(line) as RackEvent));
  }
  return 0;
}

/** "14:03:07.123 dhcp 52:54:00:12:34:56 192.168.127.221 asks for an address" */
function formatEvent(event: RackEvent): string {
  const time = new Date(event.at).toISOString().slice(11, 23);
  const subject = [event.mac, event.address].filter((part) => part !== undefined).join(' ');
  return `${time} ${event.source.padEnd(4)} ${subject === '' ? '' : `${subject} `}${describeEvent(event)}`;
}
