import type { ApiSettings } from '@belfry/shared/config/settings.js';
import { createDirectoryClient } from '@belfry/shared/directory/client.js';
import { createDirectory, type Directory } from '@belfry/shared/directory/directory.js';
import type { Database } from '@belfry/shared/ledger/database.js';
import type { Events } from '@belfry/shared/service/events.js';

/** The user directory, if the settings name one. */
export function openDirectory(
  settings: ApiSettings,
  database: Database,
  events: Events,
): Directory | undefined {
  const { USER_DIRECTORY_URL: url, USER_DIRECTORY_TOKEN: token } = settings;
  if (url === undefined) return undefined;
  const ask = createDirectoryClient({ url, token, timeoutMs: settings.USER_DIRECTORY_TIMEOUT_MS });
  return createDirectory({ database, ask, events, ttlMs: settings.USER_DIRECTORY_TTL_MS });
}
