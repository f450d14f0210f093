import { type Database, openDatabase } from '@belfry/shared/ledger/database.js';
import { schemaState } from '@belfry/shared/ledger/migrate.js';
import { within } from '@belfry/shared/service/within.js';
import { type Check, type Finding, said } from './checkup.js';

/** Below this, PostgreSQL lacks what the ledger and the queues use. */
const OLDEST_POSTGRES = 14;
const FEWEST_CONNECTIONS = 100;
/** Tokens and alarm clocks bear this much between two machines; milliseconds. */
const CLOCKS_APART_MS = 5_000;
const PATIENCE_MS = 5_000;

interface Server {
  readonly version: number;
  readonly connections: number;
  readonly now: number;
  readonly user: string;
  readonly database: string;
  /** Whether this user may make what the migrations make. */
  readonly may_create: boolean;
}

/** Whether the ledger can be reached, is new enough, and has this build's schema or may get it. */
export const checkDatabase: Check = async (env) => {
  // What is wrong with the setting itself is a finding already.
  if (!env.DATABASE_URL || !URL.canParse(env.DATABASE_URL)) return [];
  const database = openDatabase({ url: env.DATABASE_URL, name: 'belfry-doctor', size: 1 });
  try {
    return await examine(database);
  } catch (error) {
    return [whyNot(error, new URL(env.DATABASE_URL))];
  } finally {
    await within(PATIENCE_MS, database.close());
  }
};

async function examine(database: Database): Promise<Finding[]> {
  const asked = Date.now();
  const [server] = await database.rows<Server>(
    `SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('max_connections')::int AS connections,
       date_part('epoch', clock_timestamp()) * 1000 AS now, current_user::text AS user, current_database()::text AS database,
       has_database_privilege(current_database(), 'CREATE') AND has_schema_privilege('public', 'CREATE') AS may_create`,
  );
  if (server === undefined) throw new Error('it answered with nothing');
  const heard = Date.now();
  if (server.version < OLDEST_POSTGRES) {
    const remedy = `Upgrade it to ${OLDEST_POSTGRES} or newer.`;
    return [{ level: 'error', finding: `PostgreSQL is version ${server.version}.`, remedy }];
  }
  return [
    { level: 'ok', finding: `PostgreSQL ${server.version} answers.` },
    ...(await ofSchema(database, server)),
    ...ofConnections(server),
    ...ofClocks(server.now, asked, heard),
  ];
}

async function ofSchema(
  database: Database,
  { user, database: name, may_create }: Server,
): Promise<Finding[]> {
  const state = await schemaState(database.pool);
  if (state === 'current') return [{ level: 'ok', finding: 'The schema is up to date.' }];
  if (state === 'newer') {
    const remedy = 'That is fine while an upgrade is under way; afterwards, upgrade this one too.';
    return [{ level: 'warning', finding: 'The schema is of a newer Belfry than this one.', remedy }];
  }
  if (!may_create) {
    return [
      {
        level: 'error',
        finding: `The schema has to be made, and the user "${user}" may not create tables in the database "${name}".`,
        remedy: `As its owner, run in psql: GRANT CREATE ON DATABASE "${name}" TO "${user}"; GRANT CREATE ON SCHEMA public TO "${user}"; or run npm run migrate as a user who may.`,
      },
    ];
  }
  const finding =
    state === 'absent'
      ? 'The database is empty: it has no schema yet.'
      : 'The schema is of an older Belfry than this one.';
  return [{ level: 'warning', finding, remedy: 'Run npm run migrate, or start the API, which does it.' }];
}

function ofConnections({ connections }: Server): Finding[] {
  if (connections >= FEWEST_CONNECTIONS) return [];
  const remedy = 'Set max_connections to 200, or DATABASE_POOL lower.';
  return [{ level: 'warning', finding: `PostgreSQL allows only ${connections} connections.`, remedy }];
}

/** Compares with the middle of the question's time, so that a slow line is not taken for a wrong clock. */
function ofClocks(theirs: number, asked: number, heard: number): Finding[] {
  const apart = (asked + heard) / 2 - theirs;
  if (Math.abs(apart) <= CLOCKS_APART_MS + (heard - asked) / 2) return [];
  const seconds = Math.round(Math.abs(apart) / 1_000);
  return [
    {
      level: 'warning',
      finding: `The clock of this machine is ${seconds} s ${apart > 0 ? 'ahead of' : 'behind'} the database's: tokens may be refused, and jobs ring at the wrong time.`,
      remedy: 'Let both machines set their clocks by NTP; timedatectl shows whether this one does.',
    },
  ];
}

/** What PostgreSQL or the way to it said, by its code: https://www.postgresql.org/docs/current/errcodes-appendix.html */
function whyNot(error: unknown, url: URL): Finding {
  const at = `${url.hostname}:${url.port || 5432}`;
  const user = decodeURIComponent(url.username) || 'of this process';
  const name = decodeURIComponent(url.pathname.slice(1));
  const code = codeOf(error);
  const [finding, remedy] = EXPLANATIONS[code]?.({ at, user, name }) ?? [
    `PostgreSQL at ${at} cannot be used: ${said(error)}.`,
    'Check that it runs, and the host, port, user, password and database name in DATABASE_URL.',
  ];
  return { level: 'error', finding, remedy };
}

interface Place {
  readonly at: string;
  readonly user: string;
  readonly name: string;
}

const EXPLANATIONS: Readonly<Record<string, (place: Place) => readonly [finding: string, remedy: string]>> = {
  ECONNREFUSED: ({ at }) => [
    `Nothing listens at ${at}, where DATABASE_URL expects PostgreSQL.`,
    'Start PostgreSQL, or mend the host and port in DATABASE_URL.',
  ],
  ENOTFOUND: ({ at }) => [
    `There is no host by the name in DATABASE_URL (${at}).`,
    'Mend the host in DATABASE_URL; inside Docker Compose it is the name of the service.',
  ],
  '28P01': ({ at, user }) => [
    `PostgreSQL at ${at} refuses the password of the user "${user}".`,
    `Mend the password in DATABASE_URL (special characters as %XX), or set it in psql: ALTER ROLE "${user}" PASSWORD '…'.`,
  ],
  '28000': ({ at, user }) => [
    `PostgreSQL at ${at} does not let the user "${user}" in.`,
    'Create the user, or allow it and this machine in pg_hba.conf.',
  ],
  '3D000': ({ at, user, name }) => [
    `PostgreSQL at ${at} has no database "${name}".`,
    `Create it: createdb --owner "${user}" "${name}", or mend the name in DATABASE_URL.`,
  ],
  '53300': ({ at }) => [
    `PostgreSQL at ${at} has no connection left.`,
    'Raise max_connections, or lower DATABASE_POOL of the processes.',
  ],
  '57P03': ({ at }) => [`PostgreSQL at ${at} is starting or stopping.`, 'Wait for it, and look at its log.'],
  '42501': ({ user, name }) => [
    `The user "${user}" may not read the ledger in the database "${name}".`,
    'Use the user who made the schema, or grant this one its rights.',
  ],
};

function codeOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(codeOf).find(Boolean) ?? '';
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
