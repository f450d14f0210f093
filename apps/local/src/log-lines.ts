/** Levels of the JSON log lines, as pino numbers them. */
const LEVELS: Record<string, number> = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 };

/** The level from which lines are shown on the terminal: `LOG_LEVEL`, or warnings and worse. */
export function terminalLevel(logLevel: string | undefined): number {
  if (logLevel === 'silent') return Number.POSITIVE_INFINITY;
  return LEVELS[logLevel ?? ''] ?? 40;
}

/** What a line of a process's log says to somebody at a terminal; nothing when it is below `level`. */
export function terminalText(line: string, level: number): string | undefined {
  const entry = parse(line);
  if (!entry) return undefined;
  const own = typeof entry.level === 'number' ? entry.level : (LEVELS[String(entry.level)] ?? 30);
  if (own < level) return undefined;
  const error = isRecord(entry.err) ? entry.err.why : undefined;
  return [entry.msg, error].filter((part) => typeof part === 'string' && part !== '').join(': ') || line;
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return isRecord(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
