/** "Sat, 28 Nov. 2026 16:32:05", in UTC. */
export function maasTime(time: unknown): string {
  if (!(time instanceof Date)) return '';
  return time.toUTCString().replace(/^(\w+, \d+ \w+) (.*) GMT$/, '$1. $2');
}
