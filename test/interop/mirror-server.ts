/*
 * A mirror of a directory, for a rack that imports from another namespace: `node mirror-server.ts ADDRESS PORT DIRECTORY LOG`.
 * Writes a line for each request to LOG: `{"path":…,"first":…}`. SIGUSR2 resets all its connections.
 */
import { appendFileSync, createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';

const [address = '', port = '', directory = '', log = ''] = process.argv.slice(2);
const sockets = new Set<Socket>();

const server = createServer((request, response) => {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname);
  const stat = statSync(join(directory, path), { throwIfNoEntry: false });
  if (!stat?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (first > 0 && first >= stat.size) {
    response.writeHead(416, { 'content-range': `bytes */${stat.size}` }).end();
    return;
  }
  appendFileSync(log, `${JSON.stringify({ path, first })}\n`);
  const head = { etag: `"${stat.size}-${stat.mtimeMs}"`, 'content-length': stat.size - first };
  const range = { 'content-range': `bytes ${first}-${stat.size - 1}/${stat.size}` };
  response.writeHead(first > 0 ? 206 : 200, first > 0 ? { ...head, ...range } : head);
  createReadStream(join(directory, path), { start: first })
    .on('error', () => response.destroy())
    .pipe(response);
});
server.on('connection', (socket) => {
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
});
process.on('SIGUSR2', () => {
  for (const socket of sockets) socket.resetAndDestroy();
});
server.listen(Number(port), address, () => console.log('listening'));
