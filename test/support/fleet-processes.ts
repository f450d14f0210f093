import { holdToDocument } from './http.js';
import { type Exit, startProcess, type TestProcess } from './process.js';

export type Env = Readonly<Record<string, string | undefined>>;

export type WorkerOptions = {
  /** `WORKER_QUEUES`; all when absent. */
  readonly queues?: string;
  readonly env?: Env;
  /** False returns at once, for a worker that has to wait for something. */
  readonly untilReady?: boolean;
};

export type ApiProcess = TestProcess & { readonly url: string };

/** The API and worker processes of one fleet. */
export type FleetProcesses = {
  readonly apis: readonly ApiProcess[];
  readonly workers: readonly TestProcess[];
  /** Starts many at once; they are listed in the order in which they were asked for. */
  start(apis: number, workers: readonly WorkerOptions[]): Promise<void>;
  addApi(own?: Env): Promise<ApiProcess>;
  addWorker(options?: WorkerOptions): Promise<TestProcess>;
  /** Ends all of them; says which had ended by themselves, and which did not end well now. */
  stop(): Promise<string[]>;
};

/** Starts processes with `env`, and remembers which of them were told to end. */
export function fleetProcesses(env: Env): FleetProcesses {
  const apis: ApiProcess[] = [];
  const workers: TestProcess[] = [];
  const told = new Set<number>();

  async function start(file: string, own: Env, untilReady: boolean): Promise<TestProcess> {
    const started = await startProcess(
      file,
      { ...env, ...own },
      { readyMessage: untilReady, timeoutMs: 60_000 },
    );
    return {
      ...started,
      kill(signal) {
        if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') told.add(started.pid);
        started.kill(signal);
      },
      stop(limitMs) {
        told.add(started.pid);
        return started.stop(limitMs);
      },
    };
  }

  async function startApi(own: Env = {}): Promise<ApiProcess> {
    const child = await start('apps/api/bundle/main.js', own, true);
    const url = String(child.ready.url);
    holdToDocument(url, child.exited);
    return { ...child, url };
  }

  function startWorker({
    queues,
    env: own = {},
    untilReady = true,
  }: WorkerOptions = {}): Promise<TestProcess> {
    return start('apps/workers/bundle/main.js', { WORKER_QUEUES: queues, ...own }, untilReady);
  }

  return {
    apis,
    workers,
    async start(howMany, those) {
      const made = await Promise.allSettled([
        collect(
          apis,
          Array.from({ length: howMany }, () => startApi()),
        ),
        collect(
          workers,
          those.map((options) => startWorker(options)),
        ),
      ]);
      for (const one of made) if (one.status === 'rejected') throw one.reason;
    },
    async addApi(own) {
      const api = await startApi(own);
      apis.push(api);
      return api;
    },
    async addWorker(options) {
      const worker = await startWorker(options);
      workers.push(worker);
      return worker;
    },
    async stop() {
      const ended = await Promise.all([...apis, ...workers].map((child) => end(child, told.has(child.pid))));
      return ended.flat();
    },
  };
}

/** Puts those that came up into the list, in order; throws the first failure of the others. */
async function collect<Child>(list: Child[], starting: readonly Promise<Child>[]): Promise<void> {
  const settled = await Promise.allSettled(starting);
  for (const one of settled) if (one.status === 'fulfilled') list.push(one.value);
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
}

async function end(child: TestProcess, told: boolean): Promise<string[]> {
  const before = await Promise.race([child.exited, undefined]);
  if (before !== undefined) return told ? [] : [`${complaint(child, 'ended by itself', before)}`];
  const exit = await child.stop();
  return told || exit.code === 0 ? [] : [complaint(child, 'did not end well', exit)];
}

function complaint({ pid, stdout, stderr }: TestProcess, what: string, { code, signal }: Exit): string {
  const service = /"service":"(\w+)"/.exec(stdout[0] ?? '')?.[1] ?? 'process';
  const output = [...stdout, ...stderr].slice(-15).join('\n');
  return `${service} ${pid} ${what} (${signal ?? `exit code ${code}`})\n${output}`;
}
