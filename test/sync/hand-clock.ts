import type { Clock } from '../../src/system/clock.ts';

/** Stands still until a test has time pass, sets its wall, or starts the computer anew. */
export class HandClock implements Clock {
  #wall: number;
  #elapsed = 1_000.25;

  constructor(wall: number) {
    this.#wall = wall;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  pass(milliseconds: number): void {
    this.#wall += milliseconds;
    this.#elapsed += milliseconds;
  }

  set(by: number): void {
    this.#wall += by;
  }

  restart(): void {
    this.#elapsed = 12.5;
  }
}
