import type { Context } from 'koa';

import { parseMac } from '../addr/mac.ts';
import type { Rack } from './rack.ts';

const MOST_SECONDS = 3_600;

/** `POST /capture?mac=M&seconds=N`: a pcap of what this rack hears from one machine and says to it, as it grows. */
export function startCapture(context: Context, { captures }: Rack): void {
  const { mac, seconds } = context.query;
  const machine = typeof mac === 'string' ? parseMac(mac) : undefined;
  const time = Number(seconds);
  if (machine === undefined || !Number.isInteger(time) || time < 1 || time > MOST_SECONDS) {
    context.status = 400;
    context.body = `expected mac=52:54:00:12:34:56 and seconds from 1 to ${MOST_SECONDS}\n`;
    return;
  }
  const capture = captures.start(machine, time * 1000);
  if (!capture) {
    context.status = 503;
    context.body = 'another capture runs: one at a time\n';
    return;
  }
  context.type = 'application/vnd.tcpdump.pcap';
  context.body = capture;
  // Its first packet may be long in coming
  context.flushHeaders();
}

/** `POST /capture/stop`: ends the one that runs; whoever reads it gets its end. */
export function stopCapture(context: Context, { captures }: Rack): void {
  captures.stop();
  context.body = {};
}
