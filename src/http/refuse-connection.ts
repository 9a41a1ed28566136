import type { Duplex } from 'node:stream';

/** A reason of our own: more requests than answers were waited for. */
export const TOO_MANY_AHEAD = 'TOO_MANY_AHEAD';

/** What Node's parser says → what the client is told. */
const STATUS_LINES: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
  [TOO_MANY_AHEAD, '503 Service Unavailable'],
  ['CONNECT', '405 Method Not Allowed'],
]);
const BAD_REQUEST = '400 Bad Request';

/** Milliseconds for the client to read it and hang up. What it still sends is not read: a reset follows. */
const LINGER = 1_000;

/** Answers what is no HTTP request with one line, and hangs up. `code`: of Node's error, or the method. */
export function refuseConnection(code: string, connection: Duplex): void {
  if (!connection.writable) {
    // One that ends already has our last answer on its way
    if (!connection.writableEnded) connection.destroy();
    return;
  }
  const status = statusOf(code);
  const body = `${status.slice(4)}\n`;
  const header = [
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    ...(status.startsWith('405') ? ['Allow: GET, HEAD'] : []),
    'Connection: close',
  ];
  connection.end(`HTTP/1.1 ${status}\r\n${header.join('\r\n')}\r\n\r\n${body}`);
  const timer = setTimeout(() => connection.destroy(), LINGER);
  connection.once('close', () => clearTimeout(timer));
}

/** As number and words. */
export function statusOf(code: string): string {
  return STATUS_LINES.get(code) ?? BAD_REQUEST;
}
