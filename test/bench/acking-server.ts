/*
 * `acking-server.ts PORT`: says of all that a rack tells that it has it, and keeps nothing. Prints a line when it listens.
 */
import { createServer } from 'node:http';

import { RACK_PATHS } from '../../src/contract/paths.ts';

const NUMBER = '{"number":';
/** Of a batch the last number is enough: it stands in the last record. */
const TAIL = 4_096;
/** The highest number of all that it was told. */
let kept = 0;

function hear(batch: string): void {
  const at = batch.lastIndexOf(NUMBER);
  if (at >= 0) kept = Number.parseInt(batch.slice(at + NUMBER.length), 10);
}

createServer((request, response) => {
  let tail = '';
  request.setEncoding('latin1').on('data', (chunk: string) => (tail = (tail + chunk).slice(-TAIL)));
  request.on('end', () => {
    const { url = '' } = request;
    // There is never another one: who asks waits
    if (url.startsWith(RACK_PATHS.plan)) return;
    const isEvents = url === RACK_PATHS.events;
    if (isEvents) hear(tail);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(isEvents ? { kept } : { at: Date.now() }));
  });
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listens'));
