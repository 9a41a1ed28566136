/* Reads a file with the client of the npm package `tftp2`: tftp2-client.ts HOST REMOTE LOCAL */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

interface PlainClient {
  read(file: string, push: (block: Uint8Array) => void, done: () => void): Promise<void>;
  close(): void;
}

const require = createRequire(import.meta.url);
const createPlainClient = require('tftp2') as (host: string, port: number) => PlainClient;
const [host = '', remote = '', local = ''] = process.argv.slice(2);
const client = createPlainClient(host, 69);
const blocks: Uint8Array[] = [];
await client.read(
  remote,
  (block) => blocks.push(block),
  () => undefined,
);
client.close();
writeFileSync(local, Buffer.concat(blocks));
