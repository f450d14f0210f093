import { acknowledgeFields } from '@belfry/shared/config/acknowledge-settings.js';
import type { Check, Finding } from './checkup.js';

/** Where Twilio is to be told to call. */
const INBOUND_PATH = '/api/v1/inbound/twilio/sms';

/** Whether people can acknowledge alerts from where they are, and whether somebody outside watches. */
export const checkAlerting: Check = async (env) => {
  const address = acknowledgeFields.PUBLIC_URL.safeParse(env.PUBLIC_URL || undefined);
  // What is wrong with it is said with the other settings.
  const publicUrl = address.success ? address.data : undefined;
  const answers = env.SMS_ANSWERS === 'on';
  return [...links(env, publicUrl, answers), ...textAnswers(env, publicUrl, answers), outside(env)];
};

function links(env: NodeJS.ProcessEnv, publicUrl: string | undefined, answers: boolean): Finding[] {
  if (publicUrl === undefined) {
    if (env.PUBLIC_URL || answers) return [];
    return [
      {
        level: 'warning',
        finding: 'PUBLIC_URL is not set: what tells of an alert has no link to acknowledge it.',
        remedy: 'Set it to where people reach the API, such as https://belfry.example.com.',
      },
    ];
  }
  const unsigned = !env.LINK_SECRET && !env.JWT_SECRET && !(env.ALGORITHM || 'HS256').startsWith('HS');
  if (!unsigned) return [{ level: 'ok', finding: `Alerts are acknowledged by links to ${publicUrl}/a/….` }];
  return [
    {
      level: 'warning',
      finding: 'Nothing is there to sign links with: what tells of an alert has none.',
      remedy:
        'Set LINK_SECRET to the output of: openssl rand -base64 48, the same for the API and the workers.',
    },
  ];
}

function textAnswers(env: NodeJS.ProcessEnv, publicUrl: string | undefined, answers: boolean): Finding[] {
  if (!answers || publicUrl === undefined) return [];
  if (/[a-z]/i.test(env.TWILIO_FROM ?? '') && !/^MG/.test(env.TWILIO_FROM ?? ''))
    return [
      {
        level: 'warning',
        finding: 'SMS_ANSWERS is on, and TWILIO_FROM is a name: nobody can answer a name.',
        remedy: 'Set TWILIO_FROM to a number or a messaging service, or SMS_ANSWERS to off.',
      },
    ];
  return [
    {
      level: 'ok',
      finding: 'Answers by text message are understood.',
      remedy: `Twilio must be told to call ${publicUrl}${INBOUND_PATH} when a message comes in.`,
    },
  ];
}

function outside({ DEADMAN_URL, OPERATOR_EMAIL }: NodeJS.ProcessEnv): Finding {
  if (DEADMAN_URL) return { level: 'ok', finding: 'Somebody outside is told while all is well.' };
  const remedy = 'Set DEADMAN_URL to a check of a service such as healthchecks.io.';
  if (OPERATOR_EMAIL)
    return {
      level: 'ok',
      finding:
        'The operator gets a mail when something is wrong; nobody outside would notice if the whole fleet fell silent.',
      remedy,
    };
  return {
    level: 'warning',
    finding: 'Nobody hears of it when alerts are not escalated, or the whole fleet falls silent.',
    remedy: `${remedy} Set OPERATOR_EMAIL as well.`,
  };
}
