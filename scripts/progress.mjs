import { spawn } from 'node:child_process';

let out = process.stdout;

/** Leaves stdout to the answer of a command, which a program may read: progress goes to stderr. */
export function leaveStdoutAlone() {
  out = process.stderr;
}

/** One line of progress. */
export function say(text) {
  out.write(`${text}\n`);
}

/** Says why the command cannot go on, and ends it. */
export function fail(text) {
  process.stderr.write(`\n${text}\n\n`);
  process.exit(1);
}

/** The seconds since `startedAt` (milliseconds of `performance.now()`), for people. */
export function since(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}

/**
 * Runs a program to its end and shows that it is alive: its own output with `show`, otherwise a line every 10 s,
 * and all it wrote when it fails. Resolves with the exit code; `limitMs` ends it.
 */
export function run(title, file, args, { show = false, limitMs = 15 * 60_000, env = process.env, cwd } = {}) {
  const startedAt = performance.now();
  const heartbeat = setInterval(() => say(`  … ${title}, ${since(startedAt)}`), 10_000);
  return new Promise((resolve) => {
    const output = [];
    const child = spawn(file, args, {
      cwd,
      env,
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => output.push(text));
    child.once('error', (error) => end(1, error.message));
    child.once('close', (code, signal) => end(code ?? 1, signal ? `ended by ${signal}` : ''));

    function end(code, note) {
      clearInterval(heartbeat);
      if (code !== 0) out.write(`${Buffer.concat(output)}${note && `${note}\n`}`);
      resolve(code);
    }
  });
}
