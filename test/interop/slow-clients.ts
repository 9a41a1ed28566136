import { connect } from 'node:net';
import { argv } from 'node:process';

/**
 * Opens connections to `host`, `each` from every address given, asks for `path` on each and reads next to nothing.
 * Prints `open` once all have sent their request; goes on until it is ended.
 */
const [, , host = '', path = '', each = '0', ...addresses] = argv;
/** Bytes that a client reads in a second. */
const APPETITE = 1024;

const sockets = addresses.flatMap((localAddress) =>
  Array.from({ length: Number(each) }, () => connect({ host, port: 5248, localAddress })),
);
await Promise.all(
  sockets.map((socket) => {
    socket.pause().on('error', () => undefined);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    return new Promise((open) => socket.once('connect', open));
  }),
);
console.log('open');
setInterval(() => sockets.forEach((socket) => socket.read(APPETITE)), 1000);
