import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { parse } from 'yaml';
import { ROOT } from './process.js';

/* What is shipped in deploy/observability, as its tests read it. */

export type Alert = {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: { readonly summary?: string; readonly runbook_url?: string };
};

export type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly datasource: { readonly uid: string };
  }[];
};

export type Dashboard = {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
};

export function readAlerts(): Alert[] {
  const { groups }: { groups: { rules: Alert[] }[] } = parse(read('alerts.yml'));
  return groups.flatMap(({ rules }) => rules);
}

export function readDashboard(): Dashboard {
  return JSON.parse(read('grafana/dashboards/belfry.json'));
}

/** A file of deploy/observability. */
export function read(file: string): string {
  return readFileSync(path.join(ROOT, 'deploy/observability', file), 'utf8');
}

/** Every expression of the dashboard and of the alerts, with where it stands. */
export function readExpressions(): { where: string; expr: string }[] {
  return [
    ...readAlerts().map(({ alert, expr }) => ({ where: alert, expr })),
    ...readDashboard().panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ where: title, expr })),
    ),
  ];
}

/** A metric as an expression asks for it, with the labels it is matched by. */
export type Asked = { readonly metric: string; readonly labels: readonly string[] };

/** What a PromQL expression asks for; null when it is none. Grafana's own interval is filled in before. */
export function askedBy(expr: string): { asked: Asked[]; grouped: string[] } | null {
  const text = expr.replaceAll('$__rate_interval', '5m');
  const asked: Asked[] = [];
  const grouped: string[] = [];
  let sound = true;
  parser.parse(text).iterate({
    enter({ node, type, from, to }) {
      if (type.isError) sound = false;
      if (type.name === 'VectorSelector') {
        const name = node.getChild('Identifier');
        const matchers = node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
        const labels = matchers.flatMap((one) => one.getChild('LabelName') ?? []);
        asked.push({
          metric: name === null ? '' : text.slice(name.from, name.to),
          labels: labels.map((label) => text.slice(label.from, label.to)),
        });
      }
      if (type.name === 'LabelName' && node.parent?.name === 'GroupingLabels')
        grouped.push(text.slice(from, to));
    },
  });
  return sound ? { asked, grouped } : null;
}
