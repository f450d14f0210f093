import type { Job, Processor, Queue, RelayOptions, Telemetry, WorkerOptions } from 'bullmq';
import type { Client } from 'pg';
import type { Limit } from '../config/fields.js';
import type { PoolUse } from '../service/metrics.js';
import type { JobData, NewJob } from './jobs.js';
import type { Limiter, LimiterOptions } from './limiter.js';
import type { QueueContent } from './queue-book.js';

/**
 * BullMQ, on Redis or on PostgreSQL. Which of the two it is, only `engine.ts` knows.
 */
export interface QueueEngine {
  readonly kind: 'redis' | 'postgres';
  /** Puts jobs into a queue. Rejects with `QueueDown` within two seconds when the engine cannot be reached. */
  add(queue: string, jobs: readonly NewJob[]): Promise<void>;
  /** BullMQ's own object for a queue, for Bull Board. Kept until `close`, unless it could not be opened. */
  queue(name: string): Queue;
  /** Which of these job ids still have a job that is waiting, delayed or being worked on. */
  alive(queue: string, ids: readonly string[]): Promise<Set<string>>;
  /** How many jobs of a queue are waiting, delayed or being worked on. */
  pending(queue: string): Promise<number>;
  /** What is in a queue, for whoever watches. */
  content(queue: string): Promise<QueueContent>;
  /** How its connections are used, where it has a pool. */
  readonly pool: PoolUse | undefined;
  /** Starts a BullMQ worker. */
  work(name: string, process: JobProcessor, options: WorkOptions): JobWorker;
  /** A node of BullMQ's relay, which hands signals from process to process. Whoever opens one closes it. */
  relay(): SignalRelay;
  /** A limit that counts over all processes. */
  limiter(name: string, limit: Limit, options?: LimiterOptions): Limiter;
  /** Resolves when the engine answers; rejects within two seconds when it does not. */
  ping(): Promise<void>;
  /** What is wrong with the engine's own configuration: an `error` forbids to run on it. */
  inspect(): Promise<EngineFinding[]>;
  /** Makes the engine's own tables, where it has any. */
  migrate(client: Client): Promise<void>;
  close(): Promise<void>;
}

export type JobProcessor = (job: Job<JobData>, token: string) => Promise<void>;

/** What a worker is started with, beyond what is the same for all. */
export interface WorkOptions {
  readonly concurrency: number;
}

/** A finding with its remedy, for the start of a process and for `npm run doctor`. */
export interface EngineFinding {
  readonly level: 'error' | 'warning';
  readonly finding: string;
  readonly remedy: string;
}

/** The queue engine cannot be reached. Nothing is lost by it: the ledger's rows are found and queued later. */
export class QueueDown extends Error {
  override readonly name = 'QueueDown';
}

/** The parts of a BullMQ worker that Belfry uses. */
export interface JobWorker {
  readonly name: string;
  waitUntilReady(): Promise<unknown>;
  isRunning(): boolean;
  close(force?: boolean): Promise<void>;
}

/** The parts of BullMQ's `Relay` that Belfry uses. */
export interface SignalRelay {
  waitUntilReady(): Promise<void>;
  publish(topic: string, data: unknown): Promise<unknown>;
  subscribe(topic: string, listener: (message: { readonly data: unknown }) => void): Promise<unknown>;
  close(): Promise<void>;
}

/** What every node of the relay has in common: one that died, or was forgotten by a wiped engine, is noticed soon. */
export const RELAY_BOUNDS = {
  namespace: 'belfry',
  leaseDuration: 15_000,
  heartbeatInterval: 3_000,
  // As with workers: below the time after which a silent line counts as dead.
  blockTimeout: 5_000,
} as const satisfies Partial<RelayOptions>;

export interface EngineOptions {
  /** Redis when set, otherwise PostgreSQL. */
  readonly redisUrl: string | undefined;
  readonly databaseUrl: string;
  /** Shown in the engine's list of clients. */
  readonly name: string;
  /** How many workers this process will start: on PostgreSQL they need a connection to listen on. */
  readonly workers: number;
  /** What its workers trace with. */
  readonly telemetry?: Telemetry | undefined;
  readonly onError: (error: Error) => void;
}

/** What every worker has in common: a crash is noticed within ten seconds, and a job survives many of them. */
export const WORKER_BOUNDS = {
  lockDuration: 6_000,
  stalledInterval: 3_000,
  maxStalledCount: 50,
  drainDelay: 5,
  runRetryDelay: 500,
} as const satisfies Partial<WorkerOptions>;

/** What a worker is given to trace with: nothing at all when it traces nothing. */
export function tracedBy({ telemetry }: EngineOptions): { telemetry?: Telemetry } {
  return telemetry === undefined ? {} : { telemetry };
}

/**
 * Turns our processor into BullMQ's. BullMQ's own lock is only what lets it find the jobs of a dead worker: who may send is
 * decided by the lease in the ledger, so a lock that was lost while Redis was away calls nothing off.
 */
export function adapt(process: JobProcessor): Processor<JobData, void> {
  return (job, token) => process(job, token ?? '');
}
