import { parseArgs } from 'node:util';
import { loadEnvFile, readSettings } from '@belfry/shared/config/read.js';
import { tokenSettings } from '@belfry/shared/config/settings.js';
import { orExit, StartRefused } from '@belfry/shared/service/or-exit.js';
import { ROLES, signsTokens, signToken } from '@belfry/shared/service/token.js';

const USAGE = `Usage: npm run token -- --role <${ROLES.join('|')}> --sub <who> [--ttl 30m] [--json]`;

/** `npm run token -- --role admin --sub ops [--ttl 30m]`: prints a token for this installation's secret, and nothing else. */
await orExit(async () => {
  loadEnvFile();
  const settings = readSettings(tokenSettings);
  const { role, sub, ttl, json } = argumentsGiven();
  const known = ROLES.find((one) => one === role?.toLowerCase());
  if (known === undefined || sub === undefined || sub === '') throw new StartRefused(USAGE);
  const lifetime = ttl ?? `${settings.ACCESS_TOKEN_EXPIRE_MINUTES}m`;
  if (!/^\d+[smhd]$/.test(lifetime))
    throw new StartRefused(`--ttl must look like 45s, 30m, 12h or 7d.\n${USAGE}`);
  if (!signsTokens(settings.ALGORITHM)) {
    throw new StartRefused(
      `With ALGORITHM=${settings.ALGORITHM} tokens come from your identity provider, not from here.`,
    );
  }
  const token = await signToken(settings, { role: known, subject: sub, lifetime });
  console.log(json === true ? JSON.stringify({ token }) : token);
});

function argumentsGiven() {
  try {
    const { values } = parseArgs({
      options: {
        role: { type: 'string' },
        sub: { type: 'string' },
        ttl: { type: 'string' },
        json: { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    throw new StartRefused(`${error instanceof Error ? error.message : ''}\n${USAGE}`);
  }
}
