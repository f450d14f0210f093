/** The processes that keep running, and the file that each is started by, from the root of the checkout. */
export const SERVERS = {
  api: 'apps/api/bundle/main.js',
  worker: 'apps/workers/bundle/main.js',
  sandbox: 'apps/sandbox/bundle/main.js',
};

/** The commands that end by themselves. */
export const COMMANDS = {
  migrate: 'apps/api/bundle/commands/migrate.js',
  seed: 'apps/api/bundle/commands/seed.js',
  'rebuild-queues': 'apps/api/bundle/commands/rebuild-queues.js',
  token: 'apps/api/bundle/commands/token.js',
  'password-hash': 'apps/api/bundle/commands/password-hash.js',
  vapid: 'apps/api/bundle/commands/vapid.js',
  doctor: 'apps/workers/bundle/commands/doctor.js',
  belfry: 'apps/cli/bundle/main.js',
};

/** What `npm start` is made of. */
const LOCAL = { start: 'apps/local/bundle/main.js', keeper: 'apps/local/bundle/keeper.js' };

/** Every program that is bundled. */
export const PROGRAMS = Object.values({ ...SERVERS, ...COMMANDS, ...LOCAL });
