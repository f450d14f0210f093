import { parseArgs } from 'node:util';
import { loadEnvFile, readSettings } from '@belfry/shared/config/read.js';
import { tokenSettings } from '@belfry/shared/config/settings.js';
import { orExit, StartRefused } from '@belfry/shared/service/or-exit.js';
import { SignJWT } from 'jose';
import { ROLES } from '../middleware/authenticate.js';

const USAGE = `Usage: npm run token -- --role <${ROLES.join('|')}> --sub <who> [--ttl 30m]`;

/** `npm run token -- --role admin --sub ops [--ttl 30m]`: prints a token for this installation's secret, and nothing else. */
await orExit(async () => {
  loadEnvFile();
  const settings = readSettings(tokenSettings);
  const { role, sub, ttl } = argumentsGiven();
  const known = ROLES.find((one) => one === role?.toLowerCase());
  if (known === undefined || sub === undefined || sub === '') throw new StartRefused(USAGE);
  const lifetime = ttl ?? `${settings.ACCESS_TOKEN_EXPIRE_MINUTES}m`;
  if (!/^\d+[smhd]$/.test(lifetime))
    throw new StartRefused(`--ttl must look like 45s, 30m, 12h or 7d.\n${USAGE}`);
  if (!settings.ALGORITHM.startsWith('HS')) {
    throw new StartRefused(
      `With ALGORITHM=${settings.ALGORITHM} tokens come from your identity provider, not from here.`,
    );
  }
  const token = new SignJWT({ role: known }).setProtectedHeader({ alg: settings.ALGORITHM }).setSubject(sub);
  if (settings.JWT_ISSUER !== undefined) token.setIssuer(settings.JWT_ISSUER);
  if (settings.JWT_AUDIENCE !== undefined) token.setAudience(settings.JWT_AUDIENCE);
  const secret = new TextEncoder().encode(settings.JWT_SECRET);
  console.log(await token.setIssuedAt().setExpirationTime(lifetime).sign(secret));
});

function argumentsGiven() {
  try {
    const { values } = parseArgs({
      options: { role: { type: 'string' }, sub: { type: 'string' }, ttl: { type: 'string' } },
    });
    return values;
  } catch (error) {
    throw new StartRefused(`${error instanceof Error ? error.message : ''}\n${USAGE}`);
  }
}
