import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../support/wait.js';
import { callInTurn, callTimes, rateFor } from './load.js';
import type { Program } from './program.js';
import type { Rig } from './rig.js';

/** How long and how often everything is measured. */
export interface Effort {
  readonly repetitions: number;
  /** Of one run at full speed. */
  readonly seconds: number;
  /** Notifications in one end-to-end run; a third as many where email is sent. */
  readonly deliveries: number;
  /** The worker's `WORKER_CONCURRENCY`; as shipped when absent. */
  readonly concurrency: string | undefined;
}

/** Tells what was just measured. */
export type Progress = (text: string) => void;

/** All runs of both sides, in notifications per second. */
export interface Race {
  readonly belfry: number[];
  readonly bare: number[];
}

const CALLS_IN_TURN = 300;
const WARM_UP_S = 2;
const SETTLE_MS = 2_000;
const DRAINED_MS = 60_000;

/** Resident memory of an API and a worker that have just started, and what one call costs when nothing else goes on. */
export async function measureIdle(rig: Rig, progress: Progress) {
  const api = await rig.api();
  const worker = await rig.worker();
  await sleep(SETTLE_MS);
  const memory = { api: api.memoryMb(), worker: worker.memoryMb() };
  progress(`idle memory: API ${memory.api.toFixed(0)} MB, worker ${memory.worker.toFixed(0)} MB`);
  const target = rig.target(api, 'realtime');
  await callInTurn(target, CALLS_IN_TURN / 3);
  const acceptMs = await callInTurn(target, CALLS_IN_TURN);
  progress(`${CALLS_IN_TURN} calls in turn`);
  return { memory, acceptMs };
}

/** Accepting alone, no worker running: `POST /send` beside Express and `queue.add`. */
export async function raceAccept(rig: Rig, effort: Effort, progress: Progress): Promise<Race> {
  const target = rig.target(await rig.api(), 'realtime');
  const bare = { url: String((await rig.bareApi()).ready.url), bodies: target.bodies };
  for (const one of [target, bare]) await rateFor(one, WARM_UP_S);
  return race('accept', effort, progress, {
    belfry: () => rateFor(target, effort.seconds),
    bare: () => rateFor(bare, effort.seconds),
  });
}

/** From the first call to the last delivery sent, beside the same calls into BullMQ and jobs that do nothing. */
export async function raceThrough(rig: Rig, effort: Effort, progress: Progress) {
  const api = await rig.api();
  await rig.worker(effort.concurrency);
  const bareUrl = String((await rig.bareApi()).ready.url);
  const bareWorker = await rig.bareWorker();
  const inbox = rig.target(api, 'realtime');
  const mail = rig.target(api, 'email');
  const bare = { url: bareUrl, bodies: inbox.bodies };
  const mails = Math.ceil(effort.deliveries / 3);
  await throughLedger(rig, inbox, mails);
  await throughQueue(bareWorker, bare, mails);
  const realtime = await race('realtime, accept to sent', effort, progress, {
    belfry: () => throughLedger(rig, inbox, effort.deliveries),
    bare: () => throughQueue(bareWorker, bare, effort.deliveries),
  });
  const email = await race('email, accept to sent', effort, progress, {
    belfry: () => throughLedger(rig, mail, mails),
  });
  return { realtime, email: email.belfry };
}

/** Runs both sides by turns, so that a slow minute of the machine is a slow minute for both. */
async function race(
  what: string,
  { repetitions }: Effort,
  progress: Progress,
  sides: { belfry: () => Promise<number>; bare?: () => Promise<number> },
): Promise<Race> {
  const results: Race = { belfry: [], bare: [] };
  for (let lap = 1; lap <= repetitions; lap += 1) {
    results.belfry.push(await sides.belfry());
    if (sides.bare) results.bare.push(await sides.bare());
    const shown = [results.belfry.at(-1), results.bare.at(-1)].map((rate) => rate?.toFixed(0));
    progress(`${what}, ${lap} of ${repetitions}: ${shown.filter(Boolean).join(' beside bare ')}/s`);
  }
  return results;
}

/** Sends `amount`; the rate from the first call to the last `sent_at` in the ledger. Both clocks are this machine's. */
async function throughLedger(rig: Rig, target: Parameters<typeof callTimes>[0], amount: number) {
  const startedAt = Date.now();
  await callTimes(target, amount);
  await waitFor(async () => (await openCount(rig)) === 0, {
    timeoutMs: DRAINED_MS,
    everyMs: 50,
    what: 'deliveries to be sent',
  });
  const { rows } = await rig.database.query<{ sent: number; last: number }>(
    'SELECT count(*)::int AS sent, extract(epoch FROM max(sent_at))::float8 * 1000 AS last FROM notification WHERE created_at >= $1',
    [new Date(startedAt)],
  );
  const { sent = 0, last = 0 } = rows[0] ?? {};
  if (sent !== amount) throw new Error(`${sent} of ${amount} are in the ledger`);
  return (amount * 1000) / (last - startedAt);
}

async function openCount(rig: Rig): Promise<number> {
  const { rows } = await rig.database.query<{ open: number }>(
    `SELECT count(*)::int AS open FROM delivery WHERE state IN ('scheduled', 'queued', 'retrying', 'ambiguous') OR state = 'sending'`,
  );
  return rows[0]?.open ?? 0;
}

async function throughQueue(worker: Program, target: Parameters<typeof callTimes>[0], amount: number) {
  const done = new Promise<number>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('bare jobs were not worked off')), DRAINED_MS);
    worker.child.once('message', (message) => {
      clearTimeout(late);
      resolve(Number(Object(message).at));
    });
  });
  worker.child.send({ expect: amount });
  const startedAt = Date.now();
  await callTimes(target, amount);
  return (amount * 1000) / ((await done) - startedAt);
}
