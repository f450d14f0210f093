/* What the API answers with, as far as it is shown. Everything is from outside: texts are shown only after `visible`. */

export interface Summary {
  readonly id: string;
  readonly user_id: string | null;
  readonly event_type: string | null;
  readonly status: string;
  readonly sent_at: string | null;
  readonly created_at: string;
  readonly priority: string;
  readonly channels: readonly string[];
}

export interface Attempt {
  readonly n: number;
  readonly provider: string | null;
  readonly outcome: string;
  readonly code: string | null;
  readonly error: string | null;
  readonly started_at: string;
  readonly finished_at: string | null;
}

export interface Delivery {
  readonly id: string;
  readonly channel: string;
  readonly state: string;
  readonly provider: string | null;
  readonly to: string | null;
  readonly due_at: string | null;
  readonly sent_at: string | null;
  readonly reason: string | null;
  readonly attempts: readonly Attempt[];
}

export interface Details extends Summary {
  readonly type: string | null;
  readonly title: string | null;
  readonly message: string | null;
  readonly context: unknown;
  readonly data: unknown;
  readonly send_at: string | null;
  readonly expires_at: string | null;
  readonly caller: string | null;
  readonly reason: string | null;
  readonly deliveries: readonly Delivery[];
}

export interface Accepted {
  readonly status: string;
  readonly notification_id: string;
  readonly channels: readonly string[];
  readonly deliveries: readonly {
    readonly id: string;
    readonly channel: string;
    readonly state: string;
    readonly reason?: string;
  }[];
}

export interface Explained {
  readonly channels: readonly string[];
  readonly decisions: readonly {
    readonly channel: string;
    readonly used: boolean;
    readonly reason: string;
    readonly rule: string;
  }[];
}

export interface DeadLetter {
  readonly id: string;
  readonly notification_id: string;
  readonly user_id: string | null;
  readonly event_type: string | null;
  readonly channel: string;
  /** Masked; null once its person was erased. */
  readonly to: string | null;
  readonly class: string;
  readonly reason: string | null;
  readonly provider: string | null;
  readonly code: string | null;
  readonly error: string | null;
  readonly attempts: number;
  readonly dead_at: string;
  readonly retryable: boolean;
}

export interface Replayed {
  readonly replayed: number;
  readonly skipped: readonly {
    readonly id: string;
    readonly reason: string;
    /** What it is instead of dead; null when it was not found. */
    readonly state: string | null;
  }[];
  readonly rate: number;
  readonly last_due_at: string | null;
  /** There were more than one call replays. */
  readonly more: boolean;
}

export interface Person {
  readonly id: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly locale: string | null;
  readonly timezone: string | null;
  readonly roles: readonly string[];
  readonly active: boolean;
  readonly groups?: readonly string[];
}

/** What a person wishes: a switch for each channel beside the two others. */
export type Preferences = Readonly<Record<string, boolean>> & {
  readonly events: Readonly<Record<string, Readonly<Record<string, boolean>>>>;
  readonly quiet_hours: { readonly from: string; readonly to: string } | null;
};

export interface AuditEvent {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly role: string;
  readonly action: string;
  readonly target: string | null;
  readonly details: unknown;
}

export interface Stats {
  readonly by_event_type: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

interface OnCallStanding {
  readonly alert_type: string;
  readonly user_ids: readonly string[];
  readonly until: string | null;
}

export interface ListedOnCall extends OnCallStanding {
  readonly layers: readonly string[];
}

interface Turn {
  readonly user_id: string;
  readonly until: string;
}

export interface OnCall extends OnCallStanding {
  readonly layers: readonly {
    readonly name: string;
    readonly now: Turn | null;
    readonly next: Turn | null;
  }[];
}

export interface EscalationPolicy {
  readonly name: string;
  readonly steps: readonly {
    readonly name?: string;
    readonly after_ms: number;
    readonly notify: {
      readonly users?: readonly string[];
      readonly groups?: readonly string[];
      readonly on_call?: boolean;
      readonly admins?: boolean;
    };
    readonly channels?: readonly string[];
  }[];
  readonly repeat: number;
  readonly built_in: boolean;
  readonly updated_at: string | null;
}

export interface ListedAlert {
  readonly id: string;
  readonly code: string;
  readonly type: string;
  readonly level: string;
  readonly message: string;
  readonly source: string | null;
  readonly status: string;
  readonly count: number;
  readonly opened_at: string;
  readonly acknowledged_at: string | null;
  readonly acknowledged_by: string | null;
  readonly resolved_at: string | null;
  readonly resolved_by: string | null;
  readonly escalation: {
    readonly policy: string;
    readonly steps_taken: number;
    readonly steps: number;
    readonly next_at: string | null;
  } | null;
}

export interface AlertEvent {
  readonly at: string;
  readonly kind: string;
  readonly actor: string | null;
  readonly via: string | null;
  readonly step: number | null;
  readonly user_id: string | null;
  readonly deliveries?: readonly { readonly channel: string; readonly state: string }[];
}

export interface Alert extends ListedAlert {
  readonly timeline: readonly AlertEvent[];
  readonly timeline_left_out: number;
}
