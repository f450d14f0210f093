import { randomUUID } from 'node:crypto';
import { mqttFields } from '@belfry/shared/config/mqtt-settings.js';
import { within } from '@belfry/shared/service/within.js';
import type { IClientOptions, IConnackPacket } from 'mqtt';
import { type Check, type Finding, said } from './checkup.js';

const PATIENCE_MS = 5_000;

/** Whether the MQTT broker can be reached and lets us in, as a client of the doctor's own that takes no message. */
export const checkBroker: Check = async (env) => {
  const [url, version, ca] = [
    mqttFields.MQTT_URL.safeParse(env.MQTT_URL || undefined),
    mqttFields.MQTT_VERSION.safeParse(env.MQTT_VERSION || undefined),
    mqttFields.MQTT_CA_FILE.safeParse(env.MQTT_CA_FILE || undefined),
  ];
  // What is wrong with the settings themselves is a finding already.
  if (!url.success || url.data === undefined || !version.success || !ca.success) return [];
  const { host } = new URL(url.data);
  try {
    const { properties } = await connectOnce(url.data, {
      clientId: `belfry-doctor-${randomUUID().slice(0, 8)}`,
      protocolVersion: version.data === '5' ? 5 : 4,
      connectTimeout: PATIENCE_MS,
      ...(ca.data === undefined ? {} : { ca: ca.data }),
    });
    if (properties?.sharedSubscriptionAvailable === false && env.MQTT_SHARED !== 'off')
      return [
        {
          level: 'error',
          finding: `The MQTT broker at ${host} has no shared subscriptions.`,
          remedy: 'Set MQTT_SHARED to off: then everything comes in by one session.',
        },
      ];
    return [{ level: 'ok', finding: `The MQTT broker at ${host} answers.` }];
  } catch (error) {
    return [whyNot(error, host)];
  }
};

/** What the broker says to a new client, which leaves again. Rejects with the first thing that goes wrong. */
async function connectOnce(url: string, options: IClientOptions): Promise<IConnackPacket> {
  const { connect } = (await import('mqtt')).default;
  const client = connect(url, { ...options, reconnectPeriod: 0 });
  try {
    return await new Promise((resolve, reject) => {
      client.on('connect', resolve);
      client.on('error', reject);
      client.on('close', () => reject(new Error('it closed the line')));
    });
  } finally {
    await within(1_000, client.endAsync());
  }
}

/** Belfry goes on without its broker, and comes back to one that was away; only what must be set differently is an error. */
function whyNot(error: unknown, host: string): Finding {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // What a broker says no with, in 3.1.1 and in 5.
  if (code === 4 || code === 5 || code === 134 || code === 135)
    return {
      level: 'error',
      finding: `The MQTT broker at ${host} refuses the user or password in MQTT_URL.`,
      remedy: 'Mend them (special characters as %XX), or allow that user at the broker.',
    };
  if (code === 1 || code === 132)
    return {
      level: 'error',
      finding: `The MQTT broker at ${host} does not speak the version in MQTT_VERSION.`,
      remedy: 'Set MQTT_VERSION to 3.1.1.',
    };
  if (typeof code === 'string' && /CERT|SIGNATURE|ALTNAME|ISSUER/.test(code))
    return {
      level: 'error',
      finding: `The certificate of the MQTT broker at ${host} is not trusted (${code}).`,
      remedy:
        'Set MQTT_CA_FILE to the certificates of its authority, and the host in MQTT_URL to a name in it.',
    };
  return {
    level: 'warning',
    finding: `The MQTT broker at ${host} cannot be reached: ${said(error)}.`,
    remedy: 'Check that it runs, and the scheme, host and port in MQTT_URL; a firewall may be between.',
  };
}
