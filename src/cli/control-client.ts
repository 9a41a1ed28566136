import { readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';

import { parseDocument } from 'yaml';

const DEFAULT_CONTROL = '/run/rackboot/control.sock';

/** No daemon answers on the control socket. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** The daemon answered, and the answer is no. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/**
 * The control socket that the file names. Read leniently: the daemon is asked most when its file is broken, and it
 * then still runs on the Plan before.
 */
export function controlPath(config: string): string {
  try {
    const value: unknown = parseDocument(readFileSync(config, 'utf8')).getIn(['rack', 'control']);
    return typeof value === 'string' ? value : DEFAULT_CONTROL;
  } catch {
    return DEFAULT_CONTROL;
  }
}

/** Asks the daemon and parses its answer. */
export async function askDaemon<T>(socketPath: string, path: string, method = 'GET', content = ''): Promise<T> {
  return JSON.parse(await readFromDaemon(socketPath, path, method, content)) as T;
}

/** Asks the daemon and returns its answer as it is. */
export async function readFromDaemon(socketPath: string, path: string, method = 'GET', content = ''): Promise<string> {
  const response = await send(socketPath, path, method, { content });
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
  if (response.statusCode !== 200) throw new RefusedError(body.trim() || `status ${response.statusCode ?? 0}`);
  return body;
}

/** The bytes of an answer, as they come. */
export async function* pipeFromDaemon(socketPath: string, path: string, method = 'GET'): AsyncGenerator<Uint8Array> {
  const response = await send(socketPath, path, method, {});
  await refuseUnlessDone(response);
  try {
    for await (const chunk of response) yield chunk as Buffer;
  } catch {
    throw new UnreachableError('the rackboot daemon ended in the midst of its answer');
  }
}

/** The lines of an answer, as they come. */
export async function* streamFromDaemon(
  socketPath: string,
  path: string,
  signal: AbortSignal,
  method = 'GET',
): AsyncGenerator<string> {
  const response = await send(socketPath, path, method, { signal });
  await refuseUnlessDone(response);
  try {
    yield* createInterface({ input: response });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function refuseUnlessDone(response: IncomingMessage): Promise<void> {
  if (response.statusCode === 200) return;
  const reason = (await response.setEncoding('utf8').toArray()).join('').trim();
  throw new RefusedError(reason || `status ${response.statusCode ?? 0}`);
}

function send(
  socketPath: string,
  path: string,
  method: string,
  { content = '', signal }: { content?: string; signal?: AbortSignal },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, method, agent: false, ...(signal ? { signal } : {}) }, resolve);
    outgoing.on('error', (error: NodeJS.ErrnoException) =>
      reject(unreachable(socketPath, error.code ?? error.message)),
    );
    outgoing.end(content);
  });
}

function unreachable(socketPath: string, code: string): UnreachableError {
  if (code !== 'EACCES' && code !== 'EPERM') {
    return new UnreachableError(`no rackboot daemon answers on ${socketPath} (${code})`);
  }
  return new UnreachableError(`${socketPath}: not permitted; ask as root, or as a member of its group`);
}
