import { bare } from './path-kinds.ts';
import { pathOf } from './machine-facts.ts';
import { clockTime, type Rule } from './trouble.ts';

const LOOP_BOOTS = 4;
const LOOP_WITHIN = 10 * 60_000;
/** Not "failover" or "error-free", nor what is done without errors. */
const FAILURE =
  /(?<!\b(?:no|0|without|zero) )\b(?:fail(?:ed|s|ing|ures?)?|errors?|panic|abort(?:ed|s|ing)?)\b(?!-free)/i;

const bootsAgain: Rule = {
  kind: 'boots-again',
  find({ boots, fetched }, { now, isLocal, called }) {
    const first = boots.at(-LOOP_BOOTS);
    const last = boots.at(-1);
    if (!first || !last || last.at - first.at > LOOP_WITHIN || now - last.at > LOOP_WITHIN) return undefined;
    const recent = boots.filter(({ at }) => last.at - at <= LOOP_WITHIN);
    const minutes = Math.max(1, Math.round((last.at - (recent[0] ?? last).at) / 60_000));
    const far = fetched === undefined ? '' : `, the last thing it fetched is ${bare(pathOf(fetched))}`;
    return {
      what: `boots again and again: ${recent.length} in ${minutes} min${far}`,
      why: isLocal
        ? 'it is to boot its own disk and comes back: the disk has nothing to boot, or the way to it (`exit`) does not fit its firmware'
        : 'what it boots restarts the machine: a panic, an installer that ends with a restart, or a watchdog',
      next: isLocal
        ? `try \`exit: chain\` or \`exit: exit-1\` on host ${called}, or let it netboot (\`rackboot boots reset ${called}\`)`
        : `look at its console; an installer is for \`once: delivered\` on its boot entry; \`boot.loop\` ends such loops by itself`,
      events: [...new Set([first, last])],
    };
  },
};

const held: Rule = {
  kind: 'held',
  isStanding: true,
  find({ held: event }, { called }) {
    if (!event) return undefined;
    return {
      what: `netbooted ${event.entry} ${event.boots} times, and is held at its own disk since ${clockTime(event.at)}`,
      why: 'that many boots in so short a time are a loop by `boot.loop`',
      next: `mend what ended its boots, then \`rackboot boots reset ${called}\``,
      events: [event],
    };
  },
};

const reportedFailure: Rule = {
  kind: 'reported-failure',
  find({ report }) {
    if (!report || !FAILURE.test(report.report.stage)) return undefined;
    return {
      what: `reports stage "${report.report.stage}"`,
      why: 'what runs on the machine says so itself',
      next: 'look at its console or at the log of its installer',
      events: [report],
    };
  },
};

const hadOnce: Rule = {
  kind: 'had-once',
  isNote: true,
  isStanding: true,
  find({ done }, { called }) {
    if (!done) return undefined;
    return {
      what: `boots its own disk: it has had the boot entry ${done.entry}, which is for once`,
      why: done.by === 'delivered' ? 'it was sent all files of it' : 'it reported that it is installed',
      next: `\`rackboot boots reset ${called}\` lets it netboot once more`,
      events: [done],
    };
  },
};

/** Of whole boots. */
export const BOOT_RULES: readonly Rule[] = [held, bootsAgain, reportedFailure, hadOnce];
