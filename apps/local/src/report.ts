const startedAt = performance.now();

/** One line of progress, with the seconds since the command began. */
export function say(text: string): void {
  const seconds = (performance.now() - startedAt) / 1000;
  print(`${dim(`${seconds.toFixed(1).padStart(5)} s`)}  ${text}`);
}

/** Something is wrong and the operator should know; the fleet goes on. */
export function warn(text: string): void {
  say(paint(33, text));
}

/** Why the command cannot go on. */
export function complain(text: string): void {
  process.stderr.write(`\n${paint(31, 'Belfry cannot start:')} ${text}\n\n`);
}

/** Text as it is. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Text that names a thing. */
export function bold(text: string): string {
  return paint(1, text);
}

/** Text that is there for whoever looks for it. */
function dim(text: string): string {
  return paint(2, text);
}

// Colours only for a terminal, and not when NO_COLOR asks for none (https://no-color.org).
function paint(code: number, text: string): string {
  return process.stdout.isTTY && !process.env.NO_COLOR ? `\u001b[${code}m${text}\u001b[0m` : text;
}
