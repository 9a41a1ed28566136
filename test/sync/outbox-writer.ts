/*
 * Fills an outbox as fast as it can and says what is written: one letter a line, until it is killed. Arguments: the file, and the number
 * of the first letter.
 */
import { Outbox } from '../../src/sync/outbox.ts';
import { systemClock } from '../../src/system/clock.ts';

const [, , file = '', first = '1'] = process.argv;
const outbox = new Outbox(file, systemClock, { milliseconds: 86_400_000, bytes: 2 ** 30 });
process.stdout.write('open\n');
for (let number = Number(first); ; number++) {
  const letter = { life: 'life', number };
  if (outbox.hasTaken(letter)) continue;
  const at = Date.now();
  const records = [0, 1, 2].map((part) => ({
    isLease: false,
    body: JSON.stringify({ at, name: `${number}.${part}` }),
  }));
  outbox.add({ records, letter });
  process.stdout.write(`${number}\n`);
}
