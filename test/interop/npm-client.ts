/*
 * Binds the client of the npm package `dhcp` as MAC and prints the lease as JSON: npm-client.ts MAC. Its first REQUEST
 * names no address, and it never repeats one, so it is told to discover again until it is bound.
 */
import { createRequire } from 'node:module';

interface PackageClient {
  on(event: 'bound', handle: (lease: { address: string; server: string; options: object }) => void): void;
  on(event: 'error', handle: (error: unknown) => void): void;
  listen(): void;
  sendDiscover(): void;
  close(): void;
}

const require = createRequire(import.meta.url);
const dhcp = require('dhcp') as { createClient(config: object): PackageClient };
const client = dhcp.createClient({ mac: process.argv[2], features: ['hostname', 'domainName'] });
const again = setInterval(() => client.sendDiscover(), 1_000);
const limit = setTimeout(() => process.exit(1), 10_000);
client.on('error', (error) => console.error(error));
client.on('bound', ({ address, server, options }) => {
  clearInterval(again);
  clearTimeout(limit);
  console.log(JSON.stringify({ address, server, options }));
  client.close();
});
client.listen();
