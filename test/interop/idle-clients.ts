/*
 * TCP connections to port 53 on which nothing is said. Usage: idle-clients.ts SERVER COUNT SOURCE…
 * They are spread over the source addresses, and stay until this ends.
 */
import { connect } from 'node:net';

const [server = '', count = '0', ...sources] = process.argv.slice(2);
for (let n = 0; n < Number(count); n++) {
  const localAddress = sources[n % sources.length];
  const socket = connect({ host: server, port: 53, ...(localAddress !== undefined && { localAddress }) });
  socket.on('error', () => undefined);
}
