import type { ZoneSet } from '../../src/dns/zone-set.ts';
import { keyText } from '../../src/wire/dns/name.ts';
import { decode } from 'dns-packet';

/** Every record of every zone but SOA and NS as "name type data", sorted; an empty non-terminal as "name -". */
export function recordsOf(zones: ZoneSet): string[] {
  const lines: string[] = [];
  for (const zone of zones.all()) {
    for (const [key, { sets }] of zone.names()) {
      if (sets.length === 0) lines.push(`${keyText(key)} -`);
      for (const set of sets) if (set.type !== 6 && set.type !== 2) lines.push(...setLines(keyText(key), set));
    }
  }
  return lines.toSorted();
}

function setLines(name: string, set: { readonly count: number; readonly wire: string }): string[] {
  // A message whose question is the root: the compiled owner points at it
  const head = Uint8Array.of(0, 0, 0x84, 0, 0, 1, 0, set.count, 0, 0, 0, 0, 0, 0, 1, 0, 1);
  const { answers = [] } = decode(Buffer.concat([head, Buffer.from(set.wire, 'latin1')]));
  return answers.map(
    (answer) => `${name} ${answer.type} ${'data' in answer && typeof answer.data === 'string' ? answer.data : ''}`,
  );
}
