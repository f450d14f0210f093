import type { Channel, Priority } from './channel.js';

/** How loud an alert is: the word in its path, which decides who is told, where, and whether it escalates. */
export const ALERT_LEVELS = ['critical', 'warning', 'info'] as const;
export type AlertLevel = (typeof ALERT_LEVELS)[number];

/** Nobody has taken it; somebody works on it; it is over. */
export const ALERT_STATUSES = ['open', 'acknowledged', 'resolved'] as const;
export type AlertStatus = (typeof ALERT_STATUSES)[number];

/** How somebody, or something, reached an alert: through the API, a stream, the link of a page, a text message, or by itself. */
export const ALERT_DOORS = ['api', 'realtime', 'link', 'sms', 'source', 'heartbeat'] as const;
export type AlertDoor = (typeof ALERT_DOORS)[number];

/** What can be done to an alert, through whichever door. */
export const ALERT_VERBS = ['acknowledge', 'resolve'] as const;
export type AlertVerb = (typeof ALERT_VERBS)[number];

/** What can be in the timeline of an alert. */
export const ALERT_EVENT_KINDS = [
  'opened',
  'repeated',
  'notified',
  'escalated',
  'nobody',
  'exhausted',
  'acknowledged',
  'resolved',
] as const;
export type AlertEventKind = (typeof ALERT_EVENT_KINDS)[number];

/** Whom a step tells: the union of all that are named, each person once. */
export interface AlertTargets {
  /** Ids of people. */
  readonly users?: readonly string[];
  /** Ids of groups: their members. */
  readonly groups?: readonly string[];
  /** Whoever is on call for the type of the alert at that moment. */
  readonly on_call?: boolean;
  /** Everybody with the role `admin`. */
  readonly admins?: boolean;
}

/** One step of an escalation. */
export interface EscalationStep {
  /** What the timeline calls it. */
  readonly name?: string;
  /** Milliseconds after the step before it; for the first, after the alert was opened. */
  readonly after_ms: number;
  readonly notify: AlertTargets;
  /** The channels of the level when absent. */
  readonly channels?: readonly Channel[];
}

/** What happens, step by step, while nobody has acknowledged an alert. */
export interface EscalationPolicy {
  readonly name: string;
  readonly steps: readonly EscalationStep[];
  /** How often all steps are gone through again after the first time. */
  readonly repeat: number;
}

/** What noticed an alert, and what: the first of each reaches a person whatever was before it. The claim of a delivery says it in SQL. */
export function originOf({
  source,
  type,
}: {
  readonly source: string | null;
  readonly type: string;
}): string {
  return source === null ? type : `${source} ${type}`;
}

/** The policy that an alert without one of its own type follows, if it has been written; otherwise the built-in one. */
export const DEFAULT_POLICY = 'default';

/** How a level is told: critical on all of its channels whatever people have switched off. */
export interface LevelRule {
  readonly channels: readonly Channel[];
  readonly priority: Priority;
  /** Whether preferences may keep somebody from being told. */
  readonly mandatory: boolean;
  /** Whether it follows an escalation policy without being asked to. */
  readonly escalates: boolean;
}

export const LEVEL_RULES: Readonly<Record<AlertLevel, LevelRule>> = {
  critical: {
    channels: ['realtime', 'email', 'sms'],
    priority: 'critical',
    mandatory: true,
    escalates: true,
  },
  warning: { channels: ['realtime', 'email'], priority: 'high', mandatory: false, escalates: false },
  info: { channels: ['realtime'], priority: 'normal', mandatory: false, escalates: false },
};

/** Whom an alert tells when it is opened. */
export const FIRST_TARGETS: AlertTargets = { on_call: true, admins: true };

/**
 * The policy of an installation that has written none: on-call and admins again, three times, `stepMs` apart, the last two of
 * them with push as well.
 */
export function builtInPolicy(stepMs: number): EscalationPolicy {
  return {
    name: DEFAULT_POLICY,
    steps: [
      { name: 'again', after_ms: stepMs, notify: FIRST_TARGETS },
      {
        name: 'all devices',
        after_ms: stepMs,
        notify: FIRST_TARGETS,
        channels: ['realtime', 'email', 'sms', 'push'],
      },
      {
        name: 'last call',
        after_ms: stepMs,
        notify: FIRST_TARGETS,
        channels: ['realtime', 'email', 'sms', 'push'],
      },
    ],
    repeat: 0,
  };
}

/** The step that an escalation takes after it has taken `taken` of them; null when it has come to its end. */
export function stepAfter(policy: EscalationPolicy, taken: number): EscalationStep | null {
  if (taken >= policy.steps.length * (policy.repeat + 1)) return null;
  return policy.steps[taken % policy.steps.length] ?? null;
}

/** Everything that is said of an alert when it is opened. */
export interface AlertContent {
  /** The word of whoever raised it, such as `disk_full`: on-call lists and policies go by it. */
  readonly type: string;
  readonly level: AlertLevel;
  /** The caller's own word for how bad it is; the level when it gave none. */
  readonly severity: string;
  readonly message: string;
  /** What noticed it, such as `database_monitor`. */
  readonly source: string | null;
  readonly affectedSystems: readonly string[];
  /** While an alert with the same key is not resolved, another one is a repetition of it. */
  readonly dedupKey: string | null;
  /** Labels, links and whatever else its source says of it. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** Whether a notification tells of several alerts that were held back: it gathers, and no event of the templates. */
export function tellsOfSeveralAlerts({
  digest,
  eventType,
}: {
  readonly digest: boolean;
  readonly eventType: string | null;
}): boolean {
  return digest && eventType === null;
}

/** Whether a notification tells of an alert, or of several. */
export function tellsOfAlerts(
  notification: { readonly alert: unknown } & Parameters<typeof tellsOfSeveralAlerts>[0],
): boolean {
  return notification.alert !== null || tellsOfSeveralAlerts(notification);
}

/** An alert as receivers get it, in the data of a note. */
export interface AlertNote {
  readonly id: string;
  readonly type: string;
  readonly level: AlertLevel;
  readonly severity: string;
  readonly message: string;
  readonly source: string | null;
  readonly affected_systems: readonly string[];
  /** What an answer by text message names it by. */
  readonly code: string;
  /** ISO 8601: when it was opened. */
  readonly timestamp: string;
  readonly acknowledged: boolean;
  /** 0 when it was opened; the number of the escalation step that tells of it otherwise. */
  readonly step: number;
}
