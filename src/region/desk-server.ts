import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';

import { messageOf } from '../system/message-of.ts';
import type { Database } from './database/database.ts';
import { readBody } from './racks/read-json.ts';
import { deskOrderSchema, obeyDesk } from './region-desk.ts';
import { Refusal } from './refusal.ts';

/** Of an order. */
const BODY = { most: 64 * 1024, milliseconds: 10_000 };

/**
 * Obeys what commands ask on this machine: only who runs the region, and root, can reach the socket. One left behind by a process that
 * was killed is replaced, as whoever serves here has locked the directory.
 */
export async function serveDesk(path: string, database: Database): Promise<Server> {
  const server = createServer((request, response) => {
    answer(request, database).then(
      (body) => response.end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(error instanceof Refusal ? error.status : 500).end(messageOf(error)),
    );
  });
  rmSync(path, { force: true });
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, 0o600);
  return server;
}

async function answer(request: IncomingMessage, database: Database): Promise<unknown> {
  const bytes = await readBody(request, BODY);
  return obeyDesk(database, deskOrderSchema.parse(JSON.parse(bytes.toString('utf8'))));
}
