import { WordsError } from './machine-words.ts';
import { capturedIn } from './explain-capture.ts';
import { openStage, type StageGround, type StageOptions } from './open-stage.ts';
import { createSurvey } from '../rack/surroundings.ts';
import { systemClock } from '../system/clock.ts';
import { Replayer, type Replayed } from './replayer.ts';

export interface ReplayOptions extends StageOptions {
  readonly json: boolean;
  readonly interface?: string | undefined;
}

const WRONG_USAGE = 2;
const VERDICTS: Readonly<Record<Replayed['verdict'], string>> = {
  same: 'as in the capture',
  different: 'different',
  'only here': 'answered only here',
  'only there': 'answered only in the capture',
  neither: 'answered by nobody',
};

/**
 * `rackboot replay FILE`: puts the DHCP and TFTP questions of a capture to the file as it is now, and tells what we would have
 * answered and how that differs from what the capture holds. Leases begin as they are on disk and go on in memory: nothing is
 * changed. Exit code 1 when something was answered differently, or only here, or only there.
 */
export function replay(
  options: ReplayOptions,
  file: string,
  out: (line: string) => void,
  ground: StageGround = { surroundings: createSurvey()(), clock: systemClock },
): number {
  const stage = openStage(options, ground);
  for (const note of stage.notes) if (!options.json) out(stage.plan ? `NOTE ${note}` : note);
  if (!stage.plan) return 1;
  const counts = new Map<Replayed['verdict'], number>();
  const tell = (replayed: Replayed): void => {
    counts.set(replayed.verdict, (counts.get(replayed.verdict) ?? 0) + 1);
    if (options.json) out(JSON.stringify(replayed));
    else for (const line of describe(replayed)) out(line);
  };
  let cut = 0;
  try {
    const replayer = new Replayer({ ...stage, now: ground.clock.now(), interface: options.interface }, tell);
    for (const datagram of capturedIn(file)) replayer.take(datagram);
    replayer.end();
    cut = replayer.cut;
  } catch (error) {
    if (!(error instanceof WordsError)) throw error;
    out(error.message);
    return WRONG_USAGE;
  }
  if (!options.json) {
    if (cut > 0) out(`NOTE ${cut} of its packets are cut short and left out: \`tcpdump -s 0\` keeps all of them`);
    out(summary(counts));
  }
  return [...counts.keys()].every((verdict) => verdict === 'same' || verdict === 'neither') ? 0 : 1;
}

function* describe({ number, who, asked, answer, verdict, theirs, differences }: Replayed): Generator<string> {
  const line = `${String(number).padStart(6)}  ${who}, ${asked}: ${answer}`;
  const packet = theirs ? `packet ${theirs.number} of ${theirs.from}` : 'the capture';
  switch (verdict) {
    case 'same':
      yield `${line} = ${packet}`;
      break;
    case 'only here':
      yield `${line}; ${packet} has no answer`;
      break;
    case 'only there':
      yield `${line}; ${packet}: ${theirs?.answer ?? ''}`;
      break;
    case 'different':
      yield `${line}; ${packet} differs: ${theirs?.answer ?? ''}`;
      break;
    case 'neither':
      yield line;
  }
  const width = Math.max(0, ...differences.map(({ what }) => what.length));
  for (const { what, ours = '–', theirs: other = '–' } of differences)
    yield `          ${what.padEnd(width)}  ${ours}  |  ${other}`;
}

function summary(counts: ReadonlyMap<Replayed['verdict'], number>): string {
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (all === 0) return 'no DHCP question and no TFTP request in this capture';
  const parts = Array.from(counts, ([verdict, count]) => `${count} ${VERDICTS[verdict]}`);
  return `${all} ${all === 1 ? 'question' : 'questions'}: ${parts.join(', ')}`;
}
