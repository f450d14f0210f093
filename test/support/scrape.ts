import assert from 'node:assert/strict';
import type { Fleet } from './fleet.js';
import { ask } from './http.js';

/** One line of Prometheus' text format (exposition format 0.0.4). */
export type Sample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

/** What a process answered to a scrape. */
export type Scrape = {
  readonly text: string;
  readonly samples: readonly Sample[];
  /** The sum of all samples of this name that have these labels; undefined when there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
};

/** Scrapes `/metrics` below `url`. Fails for an answer that is not a scrape. */
export async function scrape(url: string): Promise<Scrape> {
  const answer = await ask('GET', new URL('/metrics', url).href, undefined, {}, 8_000);
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  return parse(answer.text);
}

/** Scrapes one worker of a fleet. */
export function scrapeWorker(fleet: Fleet, index = 0): Promise<Scrape> {
  const url = fleet.workers[index]?.ready.metrics;
  assert.ok(typeof url === 'string', `worker ${index} does not say where its metrics are`);
  return scrape(url);
}

function parse(text: string): Scrape {
  const samples = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(sampleIn);
  return {
    text,
    samples,
    value(name, labels = {}) {
      const found = samples.filter(
        (one) => one.name === name && Object.entries(labels).every(([label, is]) => one.labels[label] === is),
      );
      return found.length === 0 ? undefined : found.reduce((sum, one) => sum + one.value, 0);
    },
  };
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/g;

function sampleIn(line: string): Sample {
  const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
  assert.ok(name !== undefined && value !== undefined, `this is no sample: ${line}`);
  const named = [...labels.matchAll(LABEL)].map(([, label = '', is = '']) => [label, is] as const);
  return { name, labels: Object.fromEntries(named), value: Number(value.replace('Inf', 'Infinity')) };
}
