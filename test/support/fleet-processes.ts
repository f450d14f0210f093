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

  return {
    apis,
    workers,
    async addApi(own = {}) {
      const child = await start('apps/api/dist/main.js', own, true);
      const api = { ...child, url: String(child.ready.url) };
      apis.push(api);
      return api;
    },
    async addWorker({ queues, env: own = {}, untilReady = true } = {}) {
      const worker = await start('apps/workers/dist/main.js', { WORKER_QUEUES: queues, ...own }, untilReady);
      workers.push(worker);
      return worker;
    },
    async stop() {
      const ended = await Promise.all([...apis, ...workers].map((child) => end(child, told.has(child.pid))));
      return ended.flat();
    },
  };
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
