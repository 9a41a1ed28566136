import { ADDRESS_RULES } from './address-rules.ts';
import { BOOT_RULES } from './boot-rules.ts';
import { FILE_RULES } from './file-rules.ts';
import type { MachineFacts } from './machine-facts.ts';
import type { Ground, Rule, Trouble } from './trouble.ts';

/** A machine that was here for a moment, a day ago, is nobody's trouble any more. */
const REMEMBERED = 24 * 60 * 60_000;

/** In the order in which an operator should hear of them: what keeps a machine from its files before the files. */
export const RULES: readonly Rule[] = [...BOOT_RULES, ...FILE_RULES, ...ADDRESS_RULES];

/** What is wrong with a machine now, and why it probably is; the worst first, notes last. */
export function troublesOf(facts: MachineFacts, ground: Ground): Trouble[] {
  const troubles = RULES.flatMap((rule): Trouble[] => {
    const finding = rule.find(facts, ground);
    if (!finding) return [];
    const at = Math.max(...finding.events.map((event) => event.at));
    if (rule.isSilence && ground.otherCardAt !== undefined && ground.otherCardAt > at) return [];
    // One of the time to come was told by a clock that was set since: nobody knows how old it is
    const isForgotten = Math.abs(ground.now - at) > REMEMBERED && !rule.isStanding;
    return isForgotten ? [] : [{ kind: rule.kind, isNote: rule.isNote === true, at, ...finding }];
  });
  return troubles.toSorted((a, b) => Number(a.isNote) - Number(b.isNote));
}
