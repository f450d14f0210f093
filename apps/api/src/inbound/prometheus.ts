import { createHash } from 'node:crypto';
import { bytesOf, MOST_DETAILS } from '@belfry/shared/channels/alert.js';
import type { AlertLevel } from '@belfry/shared/domain/alert.js';
import { z } from 'zod';
import { parse, read } from '../middleware/parse.js';
import {
  cut,
  cutLine,
  type InboundContent,
  type InboundEntry,
  notTooMany,
  type ReadPayload,
  sourceKey,
} from './inbound-alert.js';

/*
 * The webhooks of Alertmanager ("webhook_config", version 4) and of Grafana ("webhook notifier"), which has the same shape
 * with more fields. Read leniently: what is not needed may be missing, and labels are whatever a rule of theirs says.
 */

/** Go writes an empty map as null. */
const pairs = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((given) => textsIn(given ?? {}));
const text = z.string().nullish();

const payload = z.object({
  alerts: z.array(z.unknown()),
  status: text,
  state: text,
  receiver: text,
  groupKey: text,
  externalURL: text,
  truncatedAlerts: z.number().min(0).nullish(),
});

const WORDS: ReadonlyMap<string, 'firing' | 'resolved'> = new Map([
  ['firing', 'firing'],
  ['alerting', 'firing'],
  ['resolved', 'resolved'],
  ['ok', 'resolved'],
]);

const status = z.string().transform((word, context) => {
  const known = WORDS.get(word.toLowerCase());
  if (known !== undefined) return known;
  context.addIssue({ code: 'custom', message: 'must be firing or resolved' });
  return z.NEVER;
});

const entry = z.object({
  status,
  labels: pairs.refine((labels) => Object.keys(labels).length > 0, 'must have at least one label'),
  annotations: pairs,
  startsAt: text,
  endsAt: text,
  generatorURL: text,
  fingerprint: text,
  silenceURL: text,
  dashboardURL: text,
  panelURL: text,
  imageURL: text,
  valueString: text,
  values: z
    .record(z.string(), z.unknown())
    .nullish()
    .catch(null)
    .transform((given) => Object.fromEntries(scalarsIn(given ?? {}))),
});
type Entry = z.infer<typeof entry>;
type Payload = z.infer<typeof payload>;

/** Reads what an Alertmanager or a Grafana sends. */
export const readPrometheus: ReadPayload = (source, body) => {
  const given = typeof body === 'object' && body !== null ? Reflect.get(body, 'alerts') : undefined;
  if (Array.isArray(given)) notTooMany(given);
  const whole = parse(payload, body);
  const entryAt = (index: number): InboundEntry => {
    const found = read(entry, withStatus(whole.alerts[index], whole));
    if (!found.ok) return { ok: false, errors: found.errors.map((error) => under(index, error)) };
    const dedupKey = sourceKey(source.name, fingerprintOf(found.value));
    if (found.value.status === 'resolved')
      return { ok: true, alert: { status: 'resolved', dedupKeys: [dedupKey] } };
    const content = contentOf(found.value, whole, source);
    return { ok: true, alert: { status: 'firing', content: { ...content, dedupKey } } };
  };
  return {
    count: whole.alerts.length,
    entry: entryAt,
    truncated: Math.trunc(whole.truncatedAlerts ?? 0),
  };
};

/** An alert that does not say how it is, is as its group. */
function withStatus(one: unknown, { status, state }: Payload): unknown {
  if (typeof one !== 'object' || one === null) return one ?? 'nothing';
  return { status: status ?? state, ...one };
}

function under<Error extends { readonly path: string }>(index: number, error: Error): Error {
  return { ...error, path: error.path === '' ? `alerts.${index}` : `alerts.${index}.${error.path}` };
}

/** The hash of the labels that the source has made; one of our own for those that do not send it. */
function fingerprintOf({ fingerprint, labels }: Entry): string {
  const given = cutLine(fingerprint ?? '', 128);
  if (given !== '') return given;
  const sorted = Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}

function contentOf(
  alert: Entry,
  whole: Payload,
  source: Parameters<ReadPayload>[0],
): Omit<InboundContent, 'dedupKey'> {
  const { labels } = alert;
  const level = levelOf(labels.severity) ?? (isTest(alert) ? 'info' : source.level);
  const systems = [labels.instance, labels.job].map((one) => cutLine(one ?? '', 128));
  return {
    type: typeOf(labels.alertname),
    level,
    severity: cutLine(labels.severity ?? '', 64) || level,
    message: messageOf(alert),
    source: source.name,
    affectedSystems: [...new Set(systems)].filter((one) => one !== ''),
    details: detailsOf(alert, whole),
    policy: null,
  };
}

/** The words that rules use for how bad it is; others are no words for how loud it is to be. */
const LEVELS: ReadonlyMap<string, AlertLevel> = new Map([
  ['critical', 'critical'],
  ['page', 'critical'],
  ['warning', 'warning'],
  ['info', 'info'],
  ['none', 'info'],
]);

function levelOf(severity = ''): AlertLevel | undefined {
  return LEVELS.get(severity.trim().toLowerCase());
}

/** What the button "Test" of a contact point in Grafana sends. Nothing ever resolves it. */
function isTest({ labels }: Entry): boolean {
  return labels.alertname === 'TestAlert' && labels.instance === 'Grafana';
}

/** The name of a rule as an id: what may not stand in one becomes `_`. */
function typeOf(name = ''): string {
  const id = name.replace(/[^A-Za-z0-9._\-:@]+/g, '_').slice(0, 128);
  return /[A-Za-z0-9]/.test(id) ? id : 'alert';
}

const LONGEST_MESSAGE = 2_000;

function messageOf({ labels, annotations }: Entry): string {
  const { summary = '', description = '', message = '' } = annotations;
  const said = [summary, description || message].map((one) => one.trim()).filter((one) => one !== '');
  const where = labels.instance === undefined ? '' : ` on ${labels.instance}`;
  return cut(
    [...new Set(said)].join('\n') || `${labels.alertname ?? 'An alert'} is firing${where}.`,
    LONGEST_MESSAGE,
  );
}

/** Links, and what the rule says of it; what is empty is left out. */
function detailsOf(alert: Entry, whole: Payload): Record<string, unknown> {
  const links = {
    starts_at: alert.startsAt,
    generator_url: alert.generatorURL,
    silence_url: alert.silenceURL,
    dashboard_url: alert.dashboardURL,
    panel_url: alert.panelURL,
    image_url: alert.imageURL,
    values:
      alert.valueString ?? (Object.keys(alert.values).length > 0 ? JSON.stringify(alert.values) : undefined),
    external_url: whole.externalURL,
    receiver: whole.receiver,
    group_key: whole.groupKey,
  };
  const written = Object.entries(links).flatMap(([name, value]) =>
    value ? [[name, cut(value, LONGEST_TEXT)]] : [],
  );
  const { labels, annotations } = alert;
  return fitting({ labels, annotations, links: Object.fromEntries(written) });
}

type Texts = Readonly<Record<string, string>>;

/**
 * Details as they are stored. What does not fit is left out, whole: of the labels, the links and the annotations in turn; and
 * how many there were is said in `left_out`.
 */
function fitting({ labels, annotations, links }: Record<'labels' | 'annotations' | 'links', Texts>) {
  let left = MOST_DETAILS - bytesOf({ labels: {}, annotations: {}, left_out: 1_000 });
  let leftOut = 0;
  const kept = (texts: Texts): Texts =>
    Object.fromEntries(
      Object.entries(texts).filter(([name, text]) => {
        const bytes = bytesOf({ [name]: text });
        const fits = bytes <= left;
        if (fits) left -= bytes;
        else leftOut += 1;
        return fits;
      }),
    );
  const [first, second, third] = [kept(labels), kept(links), kept(annotations)];
  return { labels: first, annotations: third, ...second, ...(leftOut === 0 ? {} : { left_out: leftOut }) };
}

const MOST_PAIRS = 60;
const LONGEST_TEXT = 1_000;

/** Labels or annotations, as many and as long as are worth keeping. */
function textsIn(given: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    scalarsIn(given).map(([name, value]) => [cut(name, 128), cut(String(value), LONGEST_TEXT)]),
  );
}

/** What has no depth. */
function scalarsIn(given: Readonly<Record<string, unknown>>): [string, unknown][] {
  return Object.entries(given)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .slice(0, MOST_PAIRS);
}
