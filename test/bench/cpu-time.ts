import { readdirSync, readFileSync } from 'node:fs';

/** `/proc/…/stat` counts in these, whatever the kernel's own tick (USER_HZ). */
const TICKS_A_SECOND = 100;

/** User and system time in seconds that a process has used, all its threads together. */
export function processCpu(pid: number): number {
  return statCpu(`/proc/${pid}/stat`);
}

/** The same for each living thread, by thread name; threads of one name are summed. */
export function threadCpu(pid: number): Map<string, number> {
  const times = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const directory = `/proc/${pid}/task/${thread}`;
    try {
      const name = readFileSync(`${directory}/comm`, 'utf8').trim();
      times.set(name, (times.get(name) ?? 0) + statCpu(`${directory}/stat`));
    } catch {
      // It ended meanwhile
    }
  }
  return times;
}

function statCpu(file: string): number {
  // The name in field 2 may hold spaces and parentheses
  const fields = readFileSync(file, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}
