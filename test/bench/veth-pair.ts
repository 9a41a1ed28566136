import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { pid } from 'node:process';

import { labName } from '../../src/lab/network.ts';
import { runCommand, type CommandResult } from '../../src/lab/run-command.ts';

export interface ServeOptions {
  readonly log: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What to run instead, when the program is to begin its life elsewhere, such as in a control group. */
  readonly begin?: (argv: readonly string[]) => readonly string[];
}

/** A namespace that only the server's side reaches. */
export interface Attached {
  /** Starts a program in it, as `serve` does on the server's side. */
  serve(argv: readonly string[], options: ServeOptions): ChildProcess;
}

/** A server's and a client's network namespace, joined by one cable. */
export interface VethPair {
  /** What each end is called inside its namespace. */
  readonly serverInterface: string;
  readonly clientInterface: string;
  /** Starts a program on the server's side with its output in `log`; it dies with this process. */
  serve(argv: readonly string[], options: ServeOptions): ChildProcess;
  /** Runs a program on the server's side to its end, such as one that sets a route. */
  prepare(argv: readonly string[]): Promise<CommandResult>;
  /** Runs a program on the client's side to its end. */
  ask(argv: readonly string[]): Promise<CommandResult>;
  /** A third namespace, on a cable of its own to the server's side, with an address at each end; goes with the others. */
  attach(serverAddress: string, address: string): Promise<Attached>;
  close(): Promise<void>;
}

type Names = [server: string, client: string, third: string];

/** Makes both, with an address each (`10.0.0.1/12`). Needs root. The names are swept by the lab if this process is killed. */
export async function createVethPair(serverAddress: string, clientAddress: string): Promise<VethPair> {
  const [server, client, third] = ['server', 'client', 'third'].map((suffix) => labName(pid, suffix)) as Names;
  const made = [server, client];
  const close = async (): Promise<void> => {
    for (const name of made) await runCommand(['ip', 'netns', 'delete', name]);
  };
  try {
    for (const name of [server, client]) await ip(['netns', 'add', name]);
    await ip(['link', 'add', 'serve', 'netns', server, 'type', 'veth', 'peer', 'name', 'ask', 'netns', client]);
    await bringUp(server, 'serve', serverAddress);
    await bringUp(client, 'ask', clientAddress);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    serverInterface: 'serve',
    clientInterface: 'ask',
    serve: (argv, options) => serveInside(server, argv, options),
    prepare: (argv) => runCommand(inside(server, argv)),
    ask: (argv) => runCommand(inside(client, argv)),
    attach: async (near, far) => {
      made.push(third);
      await ip(['netns', 'add', third]);
      await ip(['link', 'add', 'beyond', 'netns', server, 'type', 'veth', 'peer', 'name', 'back', 'netns', third]);
      await bringUp(server, 'beyond', near);
      await bringUp(third, 'back', far);
      return { serve: (argv, options) => serveInside(third, argv, options) };
    },
    close,
  };
}

async function bringUp(namespace: string, name: string, address: string): Promise<void> {
  await ip(['-n', namespace, 'link', 'set', 'lo', 'up']);
  await ip(['-n', namespace, 'address', 'add', address, 'brd', '+', 'dev', name]);
  await ip(['-n', namespace, 'link', 'set', name, 'up']);
}

function serveInside(
  namespace: string,
  argv: readonly string[],
  { log, env, begin = (whole) => whole }: ServeOptions,
): ChildProcess {
  const [program = '', ...args] = begin(inside(namespace, argv));
  const file = openSync(log, 'w');
  const child = spawn(program, args, { stdio: ['ignore', file, file], env: { ...process.env, ...env } });
  closeSync(file);
  return child;
}

/** Each of these replaces itself by the next: the child's pid is the program's. */
function inside(namespace: string, argv: readonly string[]): string[] {
  return ['setpriv', '--pdeathsig', 'KILL', 'ip', 'netns', 'exec', namespace, ...argv];
}

async function ip(args: readonly string[]): Promise<void> {
  const result = await runCommand(['ip', ...args]);
  if (result.code !== 0) throw new Error(`ip ${args.join(' ')}: ${result.output}`);
}
