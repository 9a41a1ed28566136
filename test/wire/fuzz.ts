import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { WireError } from '../../src/wire/wire-error.ts';

/** What to fuzz. `run` decodes `bytes`, a view of a reused buffer: valid only until it returns. Any return is fine, so is a WireError. */
export interface FuzzJob {
  readonly seeds: readonly Uint8Array[];
  readonly run: (bytes: Uint8Array) => void;
  /** Default: RACKBOOT_FUZZ_ROUNDS, or a million. */
  readonly rounds?: number;
  /** Of the random numbers: the same seed gives the same packets. */
  readonly seed?: number;
}

export interface FuzzOutcome {
  readonly accepted: number;
  readonly refused: number;
  /** Bytes of heap and external memory held at the end and not after the first tenth of the rounds. */
  readonly growth: number;
}

/** Longest packet made: more than any Ethernet frame, and seeds may be as long. */
const LONGEST = 4096;
/** A leak of ten bytes a packet is more than this in a million rounds; the noise of compiled code is far less. */
const GROWTH_LIMIT = 8 * 1024 * 1024;
/** Bytes that codecs tend to treat as special: pad, end, compression pointer, sign bits. */
const TELLING_BYTES = Uint8Array.of(0, 1, 2, 4, 63, 64, 127, 128, 192, 254, 255);

/** Feeds mutations of the seeds to `run`; fails the test on anything thrown but WireError, and on memory that grows. */
export function fuzz(job: FuzzJob): FuzzOutcome {
  const rounds = job.rounds ?? Number(process.env['RACKBOOT_FUZZ_ROUNDS'] ?? 1_000_000);
  const mutator = new Mutator(job.seeds, job.seed ?? 1);
  const settled = Math.ceil(rounds / 10);
  let refused = runRounds(job, mutator, settled);
  const before = heldMemory();
  refused += runRounds(job, mutator, rounds - settled);
  const growth = heldMemory() - before;
  assert.ok(growth < GROWTH_LIMIT, `memory grew by ${growth} bytes in ${rounds - settled} packets`);
  return { accepted: rounds - refused, refused, growth };
}

/** Returns how many packets were refused. */
function runRounds(job: FuzzJob, mutator: Mutator, rounds: number): number {
  const traceLimit = Error.stackTraceLimit;
  // Very many packets are refused, and a stack trace for each would be most of the time spent.
  Error.stackTraceLimit = 0;
  let refused = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      const bytes = mutator.next();
      try {
        job.run(bytes);
      } catch (error) {
        if (!(error instanceof WireError)) fail(job, bytes, error, traceLimit);
        refused++;
      }
    }
  } finally {
    Error.stackTraceLimit = traceLimit;
  }
  return refused;
}

/** Runs the packet again to have the stack trace, and shows both. */
function fail(job: FuzzJob, bytes: Uint8Array, error: unknown, traceLimit: number): never {
  const packet = Buffer.from(bytes).toString('hex');
  Error.stackTraceLimit = traceLimit;
  let cause = error;
  try {
    job.run(bytes);
  } catch (again) {
    cause = again;
  }
  throw new Error(`${String(error)}, and not a WireError, from ${bytes.length} bytes: ${packet}`, { cause });
}

/** Random numbers that repeat: Marsaglia's 32-bit xorshift. */
class Xorshift {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** 0 to limit - 1. */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % limit;
  }
}

/** Makes one mutated packet after another in the same buffer. */
class Mutator {
  readonly #seeds: readonly Uint8Array[];
  readonly #random: Xorshift;
  readonly #buffer = new Uint8Array(LONGEST);
  #length = 0;

  constructor(seeds: readonly Uint8Array[], seed: number) {
    assert.ok(seeds.length > 0, 'fuzzing needs at least one seed');
    this.#seeds = seeds.map((bytes) => bytes.subarray(0, LONGEST));
    this.#random = new Xorshift(seed);
  }

  next(): Uint8Array {
    const seed = this.#anySeed();
    this.#buffer.set(seed);
    this.#length = seed.length;
    for (let left = 1 + this.#random.below(4); left > 0; left--) this.#mutate();
    return this.#buffer.subarray(0, this.#length);
  }

  #mutate(): void {
    const kind = this.#random.below(16);
    if (kind === 0) this.#truncate();
    else if (kind === 1) this.#extend();
    else if (kind < 4) this.#splice();
    else if (this.#length === 0) this.#extend();
    else if (kind < 7) this.#flipBit();
    else if (kind < 9) this.#put(this.#random.below(256));
    else if (kind < 12) this.#put(TELLING_BYTES[this.#random.below(TELLING_BYTES.length)] ?? 0);
    else this.#tweakLength();
  }

  #truncate(): void {
    this.#length = this.#random.below(this.#length + 1);
  }

  #extend(): void {
    const start = this.#length;
    this.#length = Math.min(LONGEST, start + 1 + this.#random.below(64));
    const fill = this.#random.below(4);
    for (let at = start; at < this.#length; at++) this.#buffer[at] = fill === 0 ? 0 : this.#random.below(256);
  }

  /** Lays a piece of one seed over any place of the packet, past its end too. */
  #splice(): void {
    const other = this.#anySeed();
    const from = this.#random.below(other.length + 1);
    const piece = other.subarray(from, from + 1 + this.#random.below(64));
    const to = this.#random.below(Math.min(this.#length + 1, LONGEST - piece.length + 1));
    this.#buffer.set(piece, to);
    this.#length = Math.max(this.#length, to + piece.length);
  }

  #flipBit(): void {
    const at = this.#random.below(this.#length);
    this.#buffer[at] = (this.#buffer[at] ?? 0) ^ (1 << this.#random.below(8));
  }

  #put(byte: number): void {
    this.#buffer[this.#random.below(this.#length)] = byte;
  }

  /** Moves a byte that could be the length of what follows by up to four, wrapping round. */
  #tweakLength(): void {
    let at = this.#random.below(this.#length);
    for (let tries = 0; tries < 8 && !this.#looksLikeLength(at); tries++) at = this.#random.below(this.#length);
    this.#buffer[at] = (this.#buffer[at] ?? 0) + this.#random.below(9) - 4;
  }

  #looksLikeLength(at: number): boolean {
    const value = this.#buffer[at] ?? 0;
    return value > 0 && at + value < this.#length;
  }

  #anySeed(): Uint8Array {
    return this.#seeds[this.#random.below(this.#seeds.length)] ?? this.#buffer;
  }
}

/** Bytes held after a full collection. Node hides its collector unless started with --expose-gc; a new context shows it all the same. */
function heldMemory(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
