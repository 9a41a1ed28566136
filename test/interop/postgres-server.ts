import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { dyingWithTest } from './dying-with-test.ts';

const DEBIAN = '/usr/lib/postgresql';
const READY_MILLISECONDS = 20_000;

export interface PostgresServer extends AsyncDisposable {
  /** Makes an empty database and gives its URL. */
  create(name: string): string;
  readonly pid: number;
  /** Bytes that a database takes on disk. */
  sizeOf(name: string): number;
}

/** The directory of Debian's newest PostgreSQL, where it is installed. */
function binaries(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined;
  const [newest] = readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a));
  const directory = join(DEBIAN, newest ?? '', 'bin');
  return existsSync(join(directory, 'postgres')) ? directory : undefined;
}

/** Why no server can be started; undefined when one can. */
export function postgresMissing(): string | undefined {
  if (process.geteuid?.() !== 0) return 'needs root';
  return binaries() === undefined ? 'needs the Debian package postgresql' : undefined;
}

/** Debian's PostgreSQL, its files in a directory of its own, reached by a socket there. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const programs = binaries();
  if (programs === undefined) throw new Error('there is no PostgreSQL');
  const directory = mkdtempSync(join(tmpdir(), 'rackboot-postgres-'));
  const [user, group] = ['-u', '-g'].map((which) =>
    Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' })),
  );
  const identity = { uid: user ?? 0, gid: group ?? 0 };
  chownSync(directory, identity.uid, identity.gid);
  const data = join(directory, 'data');
  mkdirSync(data, { mode: 0o700 });
  chownSync(data, identity.uid, identity.gid);
  const asPostgres = { ...identity, cwd: directory, stdio: 'ignore' as const };
  execFileSync(join(programs, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'rackboot', '-E', 'UTF8', '-N'], asPostgres);
  const options = ['listen_addresses=', `unix_socket_directories=${directory}`, ...settings];
  // By one that becomes the user itself, as the kernel forgets the signal of a process that becomes another (prctl(2)). Killed, it would
  // leave its children to end as they find out; told to quit it ends them all
  const [program = '', ...argv] = dyingWithTest(
    [join(programs, 'postgres'), '-D', data, ...options.flatMap((option) => ['-c', option])],
    'QUIT',
  );
  const server = spawn(program, argv, asPostgres);
  const url = (name: string): string => `postgres://rackboot@localhost/${name}?host=${directory}`;
  const ask = (query: string): string =>
    execFileSync('psql', ['-h', directory, '-U', 'rackboot', '-d', 'postgres', '-Atc', query], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  await untilReady(() => ask('SELECT 1'));
  return {
    pid: server.pid ?? 0,
    create(name) {
      ask(`CREATE DATABASE ${name}`);
      return url(name);
    },
    sizeOf: (name) => Number(ask(`SELECT pg_database_size('${name}')`)),
    async [Symbol.asyncDispose]() {
      server.kill('SIGINT');
      if (server.exitCode === null) await once(server, 'exit');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function untilReady(ask: () => string): Promise<void> {
  const deadline = performance.now() + READY_MILLISECONDS;
  for (;;) {
    try {
      ask();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(100);
    }
  }
}
