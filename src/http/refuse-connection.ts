import type { Duplex } from 'node:stream';

/** What Node's parser says → what the client is told. */
const STATUS_LINES: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);
const BAD_REQUEST = '400 Bad Request';

/** Answers what is no HTTP request with one line, and hangs up. */
export function refuseConnection(code: string | undefined, connection: Duplex & { bytesWritten?: number }): void {
  // Once something was sent, a line of ours could land inside a file.
  if (!connection.writable || connection.bytesWritten !== 0) {
    connection.destroy();
    return;
  }
  const status = STATUS_LINES.get(code ?? '') ?? BAD_REQUEST;
  const body = `${status.slice(4)}\n`;
  const header = ['Content-Type: text/plain; charset=utf-8', `Content-Length: ${body.length}`, 'Connection: close'];
  connection.end(`HTTP/1.1 ${status}\r\n${header.join('\r\n')}\r\n\r\n${body}`);
}
