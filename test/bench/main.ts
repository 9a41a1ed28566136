/* `npm run bench -- sockets|footprint [--quick]`: measurements, side by side in one run; medians, as machines are noisy. */
import { benchFootprint } from './footprint.ts';
import { benchSockets } from './sockets.ts';

const BENCHES: Readonly<Record<string, (quick: boolean) => Promise<void>>> = {
  sockets: benchSockets,
  footprint: benchFootprint,
};

const [name = '', ...options] = process.argv.slice(2);
const bench = BENCHES[name];
if (!bench || options.some((option) => option !== '--quick')) {
  console.error(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--quick]`);
  process.exitCode = 2;
} else {
  await bench(options.includes('--quick'));
}
