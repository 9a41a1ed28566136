import type { Counters } from '../service/letters.ts';

const COUNTER = /^upstream\.(.+)\.up$/;

/** How each upstream does, one line for each, from what the DNS service counts. */
export function* upstreamLines(counters: Counters): Generator<string> {
  for (const [counter, up] of Object.entries(counters)) {
    const name = COUNTER.exec(counter)?.[1];
    if (name === undefined) continue;
    const count = (what: string): number => counters[`upstream.${name}.${what}`] ?? 0;
    const parts = [
      up === 1 ? 'up' : 'DOWN',
      ...(count('rtt') > 0 ? [`${(count('rtt') / 1000).toFixed(1)} ms`] : []),
      `asked ${count('sent')} times`,
      ...some(count('timeouts'), 'without an answer in time'),
      ...some(count('unreachable'), 'in vain'),
      ...some(count('wrong'), 'wrong answers'),
    ];
    yield `upstream ${name}: ${parts.join(', ')}`;
  }
}

function some(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}
