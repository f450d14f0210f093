import type { Channel } from '../domain/channel.js';
import type { FailureClass } from '../domain/failure.js';
import type { Statements } from './database.js';
import { MAX_ROUNDS } from './waiting.js';

/** How many deliveries were given up for good in a span of time, and what they died of. */
export interface OperatorReport {
  readonly from: Date;
  readonly to: Date;
  readonly total: number;
  /** The most frequent first. */
  readonly groups: readonly DeathCount[];
  /** Ids of deliveries. */
  readonly newest: readonly string[];
}

export interface DeathCount {
  readonly class: FailureClass;
  readonly channel: Channel;
  readonly provider: string | null;
  readonly reason: string | null;
  readonly count: number;
}

/** The notification that carries a report: nobody else's has both this caller and this type. */
export const REPORT = { caller: 'belfry', type: 'operator_report' } as const;

/** In `upkeep`, `ran_at` of this task is the moment up to which everything has been reported. */
const TASK = 'operator-mail';
/**
 * A delivery is stamped with the beginning of the statement that gives it up, and seen at its end. A report ends this long
 * ago, in seconds: no statement takes longer (`statement_timeout`), so nothing can appear later in what was counted.
 */
const UNSEEN_S = 10;
/**
 * How far the first report of a fleet looks back at least, in seconds: its first worker looks for the first time when it has
 * already been at work for some seconds, and an interval can be shorter than that.
 */
const FIRST_LOOK_S = 60;
const NEWEST = 5;

/**
 * What was given up for good since the last report, if that is `everyMs` ago and there was anything: what the provider
 * or the guard refused, what has used up its rounds, and what expired before its next one. Reports themselves are not
 * counted, so that one which fails does not cause another.
 *
 * In the caller's transaction, which has to write the report down: until its end no other process can take the same turn,
 * and when it is undone the next one counts the same again.
 */
export async function takeReport(transaction: Statements, everyMs: number): Promise<OperatorReport | null> {
  // What died before there was anybody to tell is history, but for the last interval.
  await transaction.rows(
    `INSERT INTO upkeep (task, ran_at)
     VALUES ('${TASK}', now() - greatest($1 * interval '1 millisecond', interval '${FIRST_LOOK_S} s')) ON CONFLICT DO NOTHING`,
    [everyMs],
  );
  const [turn] = await transaction.rows<Span & { from: Date; to: Date }>(
    `SELECT ran_at AS "from", ends AS "to", ran_at::text AS since, ends::text AS until
     FROM upkeep, (SELECT now() - ${UNSEEN_S} * interval '1 second' AS ends) AS settled
     WHERE task = '${TASK}' AND ran_at <= ends - $1 * interval '1 millisecond' FOR UPDATE OF upkeep SKIP LOCKED`,
    [everyMs],
  );
  if (turn === undefined) return null;
  const groups = await transaction.rows<DeathCount & Record<string, unknown>>(
    `SELECT failure AS class, channel, provider, reason, count(*)::int AS count FROM (${FINAL}) AS final
     GROUP BY failure, channel, provider, reason ORDER BY count(*) DESC, failure, channel, provider, reason`,
    [turn.since, turn.until],
  );
  if (groups.length === 0) return null;
  const newest = await transaction.rows<{ id: string }>(
    `SELECT id FROM (${FINAL}) AS final ORDER BY at DESC, id DESC LIMIT ${NEWEST}`,
    [turn.since, turn.until],
  );
  await transaction.rows(`UPDATE upkeep SET ran_at = $1 WHERE task = '${TASK}'`, [turn.until]);
  const { from, to } = turn;
  const total = groups.reduce((sum, group) => sum + group.count, 0);
  return { from, to, total, groups, newest: newest.map(({ id }) => id) };
}

/** To the microsecond. */
interface Span {
  readonly since: string;
  readonly until: string;
}

/* Two parts, each with an index of its own: dead for good at once, and dead with a round left that came too late. */
const FINAL = `
  SELECT d.*, dead_at AS at FROM delivery d
  WHERE state = 'dead' AND dead_at > $1::timestamptz AND dead_at <= $2::timestamptz
    AND (NOT retryable OR round >= ${MAX_ROUNDS} OR expires_at <= dead_at) AND ${isNoReport()}
  UNION ALL
  SELECT d.*, expires_at AS at FROM delivery d
  WHERE state = 'dead' AND retryable AND round < ${MAX_ROUNDS} AND expires_at > dead_at
    AND expires_at > $1::timestamptz AND expires_at <= $2::timestamptz AND ${isNoReport()}`;

function isNoReport(): string {
  return `NOT EXISTS (SELECT 1 FROM notification n WHERE n.id = d.notification_id
    AND (n.canary OR (n.caller = '${REPORT.caller}' AND n.type = '${REPORT.type}' AND n.person_id IS NULL)))`;
}
