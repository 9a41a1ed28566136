import type { BootLine } from '../rack/boot-routes.ts';
import { askDaemon } from './control-client.ts';

export interface BootCommandOptions {
  readonly control: string;
  readonly json: boolean;
}

const WORDS: Readonly<Record<BootLine['state'], string>> = {
  armed: 'netboots it',
  delivered: 'had it: was sent all of it',
  reported: 'had it: reported that it is installed',
  held: 'held: netbooted it over and over',
  lost: 'what it had was lost',
};

/** `rackboot boots`: what each machine has had to boot, and since when. */
export async function boots({ control, json }: BootCommandOptions, out: (line: string) => void): Promise<number> {
  const answer = await askDaemon<BootLine[]>(control, '/boots');
  if (json) out(JSON.stringify(answer));
  else for (const line of answer) out(describe(line));
  return 0;
}

/** `rackboot boots reset MAC|NAME`, or all of them: lets machines netboot again. */
export async function resetBoots(
  { control, json }: BootCommandOptions,
  of: { readonly machine: string } | 'all',
  out: (line: string) => void,
): Promise<number> {
  const query = of === 'all' ? 'all' : `of=${encodeURIComponent(of.machine)}`;
  const reset = await askDaemon<BootLine[]>(control, `/boots/reset?${query}`, 'POST');
  if (json) out(JSON.stringify(reset));
  else for (const { mac, name, entry } of reset) out(`${name ?? mac} netboots ${entry} again if it is to boot it`);
  return 0;
}

function describe({ mac, name = '', entry, state, since = '' }: BootLine): string {
  return `${mac}  ${name.padEnd(15)}  ${entry.padEnd(15)}  ${since.padEnd(24)}  ${WORDS[state]}`;
}
