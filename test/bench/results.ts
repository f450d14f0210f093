import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { ROOT } from '../support/process.js';
import type { Effort, Race } from './measure.js';
import type { Engine } from './rig.js';

/** Everything that was measured on one engine. */
export interface Measured {
  readonly engine: Engine;
  /** Megabytes. */
  readonly memory: { readonly api: number; readonly worker: number };
  /** Milliseconds of each call on an idle system. */
  readonly acceptMs: readonly number[];
  readonly accept: Race;
  readonly realtime: Race;
  readonly email: readonly number[];
}

/** Writes every single figure to `bench/results/`, and returns the file's path in the checkout. */
export function writeResults(effort: Effort, measured: readonly Measured[]): string {
  const at = new Date().toISOString();
  const file = path.join('bench', 'results', `${at.replaceAll(':', '-')}.json`);
  const machine = {
    node: process.version,
    cpus: cpus().length,
    model: cpus()[0]?.model,
    platform: process.platform,
  };
  mkdirSync(path.dirname(path.join(ROOT, file)), { recursive: true });
  writeFileSync(path.join(ROOT, file), `${JSON.stringify({ at, machine, effort, measured }, null, 2)}\n`);
  return file;
}

/** The table that is printed: median and, in brackets, the extremes. */
export function tableOf(measured: readonly Measured[]): string {
  const rows = measured.flatMap((one) => [
    [one.engine, 'accept, per second', spread(one.accept.belfry), spread(one.accept.bare), ratio(one.accept)],
    [
      '',
      'realtime end to end, per second',
      spread(one.realtime.belfry),
      spread(one.realtime.bare),
      ratio(one.realtime),
    ],
    ['', 'email end to end, per second', spread(one.email), '', ''],
    [
      '',
      'accept when idle, ms p50 / p99',
      `${quantile(one.acceptMs, 0.5).toFixed(1)} / ${quantile(one.acceptMs, 0.99).toFixed(1)}`,
      '',
      '',
    ],
    [
      '',
      'idle memory, MB API / worker',
      `${one.memory.api.toFixed(0)} / ${one.memory.worker.toFixed(0)}`,
      '',
      '',
    ],
  ]);
  const all = [['engine', 'what', 'Belfry', 'bare Express + BullMQ', 'ratio'], ...rows];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The smallest value that at least this share of the values does not exceed. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? Number.NaN;
}

function spread(values: readonly number[]): string {
  return `${quantile(values, 0.5).toFixed(0)} (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;
}

/** The median of the laps' own ratios. */
function ratio({ belfry, bare }: Race): string {
  return quantile(
    belfry.map((rate, lap) => rate / (bare[lap] ?? Number.NaN)),
    0.5,
  ).toFixed(2);
}
