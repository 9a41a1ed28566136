/** PR_SET_PDEATHSIG of prctl(2). */
type DeathSignal = 'KILL' | 'QUIT';

/**
 * A command that ends when the process that starts it does, however that ends: a test that is killed disposes of nothing. The program
 * has the pid of what is started, as all that is before it becomes it. `setpriv` is part of every Debian, and needs no root for this.
 */
export function dyingWithTest(argv: readonly string[], signal: DeathSignal = 'KILL'): string[] {
  return process.platform === 'linux' ? ['setpriv', '--pdeathsig', signal, ...argv] : [...argv];
}
