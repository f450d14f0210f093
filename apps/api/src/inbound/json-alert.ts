import { createHash } from 'node:crypto';
import { alertLevel, alertRequest, dedupKey } from '@belfry/shared/channels/alert.js';
import { externalId } from '@belfry/shared/channels/fields.js';
import { ALERT_LEVELS, type AlertLevel } from '@belfry/shared/domain/alert.js';
import type { FieldError } from '@belfry/shared/domain/refusal.js';
import { z } from 'zod';
import { unsafeIn } from '../middleware/body.js';
import { read } from '../middleware/parse.js';
import {
  type InboundAlert,
  type InboundContent,
  type InboundEntry,
  notTooMany,
  type ReadPayload,
  sourceKey,
} from './inbound-alert.js';

/** An alert as a script of one's own says it. */
export const jsonAlert = alertRequest
  .extend({
    status: z
      .enum(['firing', 'resolved'], 'must be firing or resolved')
      .default('firing')
      .meta({ description: '`resolved` ends the alert with the same key' }),
    type: externalId.meta({
      description: 'What it is, such as `disk_full`: on-call lists and policies go by it',
    }),
    level: alertLevel.optional().meta({ description: 'The level of the source when absent' }),
    message: alertRequest.shape.message.optional().meta({ description: 'Required unless it is resolved' }),
    dedup_key: dedupKey.optional().meta({
      description:
        'What makes it the same alert; absent: its type, its level, its source and its affected systems together',
    }),
  })
  .superRefine(({ status, message }, context) => {
    if (status === 'firing' && message === undefined)
      context.addIssue({ code: 'custom', path: ['message'], message: 'is required while it is firing' });
  })
  .meta({ id: 'JsonAlert', description: 'An alert as a source of the kind `json` sends it.' });
type JsonAlert = z.infer<typeof jsonAlert>;

/** Reads one alert, or `{"alerts": […]}`. */
export const readJson: ReadPayload = (source, body) => {
  const list = listIn(body);
  const alerts = notTooMany(list ?? [body]);
  const place = (index: number) => (list === null ? '' : `alerts.${index}`);
  return {
    count: alerts.length,
    entry: (index) => entryOf(alerts[index], place(index), source),
    truncated: 0,
  };
};

function listIn(body: unknown): readonly unknown[] | null {
  const alerts = typeof body === 'object' && body !== null ? Reflect.get(body, 'alerts') : undefined;
  return Array.isArray(alerts) ? alerts : null;
}

/** Characters of one alert as JSON: more than the longest that can be taken has. */
const LONGEST = 65_536;

function entryOf(one: unknown, place: string, source: Parameters<ReadPayload>[0]): InboundEntry {
  const unsafe = unsafeIn(one) ?? tooLong(one);
  // A list of nothings is a list of mistakes.
  const found =
    unsafe === null ? read(jsonAlert, one ?? 'nothing') : { ok: false as const, errors: [unsafe] };
  if (found.ok) return { ok: true, alert: alertOf(found.value, source) };
  const errors = found.errors.map(({ path, message }) => ({
    path: [place, path].filter((part) => part !== '').join('.'),
    message,
  }));
  return { ok: false, errors };
}

/** A list of a million mistakes would take seconds to be told of. */
function tooLong(one: unknown): FieldError | null {
  if (JSON.stringify(one ?? null).length <= LONGEST) return null;
  return { path: '', message: `must have at most ${LONGEST} characters as JSON` };
}

function alertOf(alert: JsonAlert, source: Parameters<ReadPayload>[0]): InboundAlert {
  const level = alert.level ?? source.level;
  const keyAt = (at: AlertLevel) => sourceKey(source.name, alert.dedup_key ?? fingerprintOf(alert, at));
  // What is over is so at every level at which it was raised.
  if (alert.status === 'resolved')
    return { status: 'resolved', dedupKeys: [...new Set(ALERT_LEVELS.map(keyAt))] };
  const content: InboundContent = {
    type: alert.type,
    level,
    severity: alert.severity ?? level,
    message: alert.message ?? '',
    source: alert.source ?? source.name,
    affectedSystems: alert.affected_systems ?? [],
    dedupKey: keyAt(level),
    details: alert.details ?? {},
    policy: alert.escalation_policy ?? null,
  };
  return { status: 'firing', content };
}

/**
 * What it is about, as Alertmanager's fingerprint is that of the labels: a call that is repeated opens nothing twice, and one that
 * is louder than the one before it is another alert, which is told.
 */
function fingerprintOf({ type, source, affected_systems = [] }: JsonAlert, level: AlertLevel): string {
  const about = JSON.stringify([type, level, source ?? null, affected_systems.toSorted()]);
  return createHash('sha256').update(about).digest('hex').slice(0, 16);
}
