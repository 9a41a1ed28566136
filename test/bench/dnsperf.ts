import { readFileSync, rmSync } from 'node:fs';

import type { CommandResult } from '../../src/lab/run-command.ts';
import { percentile } from './median.ts';

/** Whose core and namespace it runs on. */
export type Ask = (argv: readonly string[]) => Promise<CommandResult>;

export interface DnsLoad {
  readonly server: string;
  /** dnsperf's input file, asked over and over. */
  readonly questions: string;
  readonly seconds: number;
  /** How many questions wait for their answer at a time: as soon as one comes the next is sent. */
  readonly outstanding: number;
  /** Questions a second at most; as many as the server answers unless given. */
  readonly rate?: number;
}

export interface DnsLoadResult {
  readonly sent: number;
  readonly completed: number;
  readonly loss: number;
  readonly seconds: number;
  /** Answers a second. */
  readonly rate: number;
  /** Of the answers, by the name of the response code: 0 to 1. */
  readonly rcodes: Readonly<Record<string, number>>;
  readonly responseBytes: number;
  readonly averageMilliseconds: number;
}

/** Sockets that questions come from: with one alone a server sees no more than one client. */
const SOCKETS = 8;
/** An answer that comes later counts as lost. */
const PATIENCE_SECONDS = 1;

export async function loadDns(ask: Ask, load: DnsLoad): Promise<DnsLoadResult> {
  return readStatistics(await ask(dnsperf(load, ['-l', String(load.seconds)])));
}

/** Asks every line of a file once. */
export async function askOnce(ask: Ask, server: string, questions: string): Promise<DnsLoadResult> {
  return readStatistics(await ask(dnsperf({ server, questions, outstanding: 20 }, ['-n', '1'])));
}

export interface TimedDnsLoadResult extends DnsLoadResult {
  /** Milliseconds that half of the answers, and 99 of 100, took at most. */
  readonly p50: number;
  readonly p99: number;
}

/** As `loadDns`, and tells how long answers took. Telling costs dnsperf time: not for the highest rate. */
export async function loadTimed(ask: Ask, load: DnsLoad, report: string): Promise<TimedDnsLoadResult> {
  // Into a file: a reader of so many lines would want the server's core
  const inner = dnsperf(load, ['-l', String(load.seconds), '-v']);
  const { code, output } = await ask(['sh', '-c', 'exec "$@" > "$0" 2>&1', report, ...inner]);
  const text = readFileSync(report, 'utf8');
  rmSync(report);
  const result = readStatistics({ code, stdout: text, output: output || text.slice(-2000) });
  const delays = readDelays(text);
  return { ...result, p50: percentile(delays, 0.5), p99: percentile(delays, 0.99) };
}

function dnsperf(
  { server, questions, outstanding, rate }: Omit<DnsLoad, 'seconds'>,
  extent: readonly string[],
): readonly string[] {
  const who = ['-s', server, '-d', questions, '-c', String(SOCKETS), '-T', '1'];
  const pace = ['-q', String(outstanding), '-t', String(PATIENCE_SECONDS), ...(rate ? ['-Q', String(rate)] : [])];
  // Time-outs are in the statistics; a line for each would be work
  return ['dnsperf', ...who, ...pace, ...extent, '-O', 'suppress=timeouts'];
}

function readStatistics({ code, stdout, output }: CommandResult): DnsLoadResult {
  const number = (label: string): number => Number(new RegExp(`^  ${label}:\\s+([\\d.]+)`, 'm').exec(stdout)?.[1]);
  const [sent, completed] = [number('Queries sent'), number('Queries completed')];
  const codes = /^ {2}Response codes:(.*)$/m.exec(stdout)?.[1] ?? '';
  const shares = Array.from(codes.matchAll(/(\w+) (\d+) \(/g), ([, name = '', count]) => [
    name,
    Number(count) / completed,
  ]);
  const result = {
    sent,
    completed,
    loss: 1 - completed / sent,
    seconds: number('Run time \\(s\\)'),
    rate: number('Queries per second'),
    rcodes: Object.fromEntries(shares) as Record<string, number>,
    responseBytes: Number(/response (\d+)$/m.exec(stdout)?.[1]),
    averageMilliseconds: number('Average Latency \\(s\\)') * 1000,
  };
  if (code !== 0 || !(sent > 0)) throw new Error(`dnsperf said:\n${output.slice(-2000)}`);
  return result;
}

/** Lines such as `> NOERROR n1.bench.example A 0.000123`: seconds at the end. */
function readDelays(text: string): number[] {
  return Array.from(text.matchAll(/^> [A-Z]+ \S+ \S+ ([\d.]+)$/gm), ([, seconds]) => Number(seconds) * 1000);
}
