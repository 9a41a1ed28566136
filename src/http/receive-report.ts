import type { IncomingMessage } from 'node:http';

import type { Context } from 'koa';

import { formatMac } from '../addr/mac.ts';
import type { LeaseFact } from '../service/letters.ts';
import type { EventSink, SignSink } from '../service/service.ts';
import { parseReport, REPORT_LIMIT } from './machine-report.ts';
import type { Exchange } from './ledger.ts';
import type { Refusal } from './refusal.ts';
import { BODY_CUT_OFF } from './request-line.ts';

const TOO_LARGE: Refusal = { status: 413, label: 'too-large', reason: `a report has at most ${REPORT_LIMIT} bytes` };
const CUT_OFF: Refusal = { status: 400, label: 'malformed', reason: 'the report was cut off', isLast: true };

/** POST /report: what a machine says of itself, taken only from one that holds a lease, or that was heard taking its address on a proxy subnet. */
export async function receiveReport(
  ctx: Context,
  exchange: Exchange,
  lease: LeaseFact | undefined,
  { events, signs }: { readonly events: EventSink; readonly signs?: SignSink },
): Promise<Refusal | undefined> {
  if (ctx.method !== 'POST') {
    ctx.set('Allow', 'POST');
    return { status: 405, label: 'method', reason: 'a report is sent with POST' };
  }
  if (lease === undefined) {
    return { status: 403, label: 'no-lease', reason: 'reports are taken only from an address that holds a lease' };
  }
  const body = await readBody(ctx.req, REPORT_LIMIT);
  if (body === 'too large') return TOO_LARGE;
  if (body === 'cut off') return CUT_OFF;
  const parsed = parseReport(body);
  if ('fault' in parsed) return { status: 400, label: 'malformed', reason: parsed.fault };
  events.emit({ kind: 'machine.report', report: parsed.report }, { ...exchange.subject, mac: formatMac(lease.mac) });
  signs?.sign({ kind: 'report', mac: lease.mac, stage: parsed.report.stage });
  ctx.status = 204;
  return undefined;
}

/** The body, up to `limit` bytes. What comes after the limit is thrown away by Node while it waits for the next request. */
function readBody(request: IncomingMessage, limit: number): Promise<Buffer | 'too large' | 'cut off'> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.resolve('too large');
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
      else resolve('too large');
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', () => resolve('cut off'));
    request.once('close', () => resolve('cut off'));
    request.once(BODY_CUT_OFF, () => resolve('cut off'));
  });
}
