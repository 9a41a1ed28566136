import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { RackEvent } from '../timeline/event.ts';
import { LabError } from './lab-error.ts';
import type { LabNetwork, LabProcess } from './network.ts';
import { stopProcess } from './stop-process.ts';
import type { Workspace } from './workspace.ts';

/** A rack daemon that runs inside a lab's network. */
export interface RackProcess {
  /** Settles when the daemon has ended, whatever the reason. */
  readonly exited: Promise<void>;
  /** Resolves when it serves. @throws LabError when it ended instead */
  ready(signal: AbortSignal): Promise<void>;
  /** Resolves when it has imported what the machine boots. @throws LabError when it does not */
  imported(signal: AbortSignal): Promise<void>;
  /** What its services did and saw, as it comes. */
  events(): AsyncIterable<RackEvent>;
  /** The last lines it wrote. */
  tail(count: number): string[];
  stop(): Promise<void>;
}

const READY_POLL_MILLISECONDS = 200;
/** Many times what it needs, on a computer that is busy with something else. */
const READY_LIMIT_SECONDS = 30;

/** Starts `rackboot run`; `rackboot` is the command line that stands for the program, such as node and its main file. */
export function startRack(network: LabNetwork, workspace: Workspace, rackboot: readonly string[]): RackProcess {
  const { config } = workspace;
  const daemon = network.exec([...rackboot, 'run', '--config', config]);
  const written = keepLines(daemon, join(workspace.directory, 'rack.log'));
  const followers: LabProcess[] = [];
  const exited = new Promise<void>((resolve) => {
    daemon.once('close', () => resolve()).once('error', () => resolve());
  });
  return {
    exited,
    tail: (count) => written.slice(-count),
    async ready(signal) {
      const ended = exited.then(() => {
        throw new LabError(['rackboot ended before it was ready:', ...written.slice(-20)].join('\n'));
      });
      const status = [...rackboot, 'status', '--json', '--config', config];
      await Promise.race([ended, untilSaid(network, status, (_output, code) => code === 0, 'is not ready', signal)]);
    },
    async imported(signal) {
      const images = [...rackboot, 'images', '--json', '--config', config];
      await untilSaid(
        network,
        images,
        (output) => output.includes('"entries":["lab"]'),
        'has imported nothing',
        signal,
      );
    },
    events() {
      const follower = network.exec([...rackboot, 'events', '--follow', '--json', '--config', config]);
      followers.push(follower);
      return readEvents(follower);
    },
    async stop() {
      await Promise.all([daemon, ...followers].map((child) => stopProcess(child)));
    },
  };
}

/** Asks until the answer will do. */
async function untilSaid(
  network: LabNetwork,
  question: readonly string[],
  willDo: (output: string, code: number | null) => boolean,
  otherwise: string,
  signal: AbortSignal,
): Promise<void> {
  const limit = performance.now() + READY_LIMIT_SECONDS * 1000;
  for (;;) {
    const asked = await network.run(question, { signal });
    if (willDo(asked.output, asked.code)) return;
    if (performance.now() > limit) {
      throw new LabError(`rackboot ${otherwise} after ${READY_LIMIT_SECONDS} s; it says: ${asked.output}`);
    }
    await delay(READY_POLL_MILLISECONDS, undefined, { signal });
  }
}

async function* readEvents(follower: LabProcess): AsyncIterable<RackEvent> {
  follower.stderr.resume();
  try {
    for await (const line of createInterface({ input: follower.stdout })) {
      if (line.startsWith('{')) yield JSON.parse(line) as RackEvent;
    }
  } finally {
    await stopProcess(follower);
  }
}

function keepLines(child: LabProcess, file: string): string[] {
  const lines: string[] = [];
  const log = createWriteStream(file);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      log.write(`${line}\n`);
    });
  }
  child.once('close', () => log.end());
  return lines;
}
