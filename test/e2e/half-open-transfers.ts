/*
 * Asks a TFTP server for a file from many addresses and ports, and never says another word; asks anew when the server has
 * given up on it. Usage: half-open-transfers.ts SERVER FILE COUNT ADDRESS…
 * Prints `open` once every transfer was answered; goes on until it is ended.
 */
import { createSocket } from 'node:dgram';
import { argv } from 'node:process';

const [, , server = '', file = '', count = '0', ...addresses] = argv;
/** Milliseconds. A server that gave up on one is asked anew so soon. */
const AGAIN = 2000;
const words = [file, 'octet', 'blksize', '1432', 'windowsize', '16', ''];
const request = Buffer.concat([Buffer.from([0, 1]), Buffer.from(words.join('\0'))]);

const answered = await Promise.all(
  Array.from({ length: Number(count) }, (_, index) => {
    const socket = createSocket('udp4');
    const ask = (): void => socket.send(request, 69, server);
    return new Promise<void>((resolve) => {
      socket.once('message', () => resolve());
      socket.bind(0, addresses[index % addresses.length], ask);
      // Not all at once, so that at any time nearly all stand there
      setTimeout(() => setInterval(ask, AGAIN), Math.random() * AGAIN);
    });
  }),
);
console.log('open', answered.length);
