import type { MachineLine, MachineStory } from '../rack/machine-desk.ts';
import type { RackEvent } from '../timeline/event.ts';
import { plainText } from '../wire/plain-text.ts';
import { askDaemon, readFromDaemon } from './control-client.ts';
import { formatEvent } from './format-event.ts';
import { describeTrouble } from './describe-trouble.ts';

export interface MachinesOptions {
  readonly control: string;
  readonly json: boolean;
  /** Only those that something is wrong with. */
  readonly trouble: boolean;
}

const LATELY = 50;

/** `rackboot machines`: a line for each. */
export async function machines(
  { control, json, trouble }: MachinesOptions,
  out: (line: string) => void,
): Promise<number> {
  const all = await askDaemon<MachineLine[]>(control, '/machines');
  const lines = trouble ? all.filter((line) => line.trouble) : all;
  if (json) out(JSON.stringify(lines));
  else for (const line of lines) out(describeMachine(line));
  return 0;
}

/** `rackboot machines MAC|NAME|ADDRESS`: what happened to it of late, and what is wrong and why. Exit code 1 when something is. */
export async function machineStory(
  { control, json }: Omit<MachinesOptions, 'trouble'>,
  of: string,
  out: (line: string) => void,
): Promise<number> {
  const stories = await askDaemon<MachineStory[]>(control, `/machines?of=${encodeURIComponent(of)}`);
  if (json) out(JSON.stringify(stories));
  else for (const story of stories) await tell(control, story, out);
  return stories.some(({ trouble }) => trouble) ? 1 : 0;
}

async function tell(control: string, story: MachineStory, out: (line: string) => void): Promise<void> {
  out(describeMachine(story));
  const lines = await readFromDaemon(control, `/events?mac=${story.mac}&limit=${LATELY}`);
  for (const line of lines.split('\n')) if (line !== '') out(`  ${formatEvent(JSON.parse(line) as RackEvent)}`);
  for (const trouble of story.troubles) for (const line of describeTrouble(trouble)) out(line);
}

function describeMachine({ name = '', mac, address = '', stage, lastSeen = '', trouble }: MachineLine): string {
  const seen = lastSeen === '' ? '' : `${lastSeen.slice(0, 19)}Z`;
  const line = `${name.padEnd(15)}  ${mac}  ${address.padEnd(15)}  ${stage.padEnd(8)}  ${seen.padEnd(20)}`;
  return trouble ? `${line}  ${trouble.kind}: ${plainText(trouble.what)}` : line.trimEnd();
}
