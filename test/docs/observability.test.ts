import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { readSources, WORKSPACES } from '../architecture/sources.js';
import { askedBy, read, readAlerts, readDashboard, readExpressions } from '../support/observability.js';
import { ROOT } from '../support/process.js';

describe('the expressions of the dashboard and the alerts', () => {
  it('are PromQL', () => {
    const all = readExpressions();
    assert.ok(all.length > 40);
    for (const { where, expr } of all) {
      assert.ok(askedBy(expr), `${where}: ${expr}`);
      // What a string escapes, PromQL, JSON and YAML each see in their own way.
      assert.doesNotMatch(expr, /\\/, where);
    }
    assert.equal(askedBy('sum by (queue (belfry_up)'), null, 'what is no PromQL is not seen');
  });
});

describe('the alerts', () => {
  const alerts = readAlerts();

  it('each have a severity, a summary and a runbook that is there', () => {
    assert.ok(alerts.length >= 10);
    assert.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length);
    for (const { alert, labels, annotations } of alerts) {
      assert.match(alert, /^Belfry[A-Z]\w+$/);
      assert.match(labels?.severity ?? '', /^(critical|warning)$/, alert);
      assert.match(annotations?.summary ?? '', /^.{20,120}\.$/, alert);
      const [file = '', anchor] = (annotations?.runbook_url ?? '').split('#');
      assert.ok(anchor, alert);
      assert.ok(headingsOf(file).includes(anchor), `${alert}: ${file} has no heading for #${anchor}`);
    }
  });

  it('are all that the runbook knows', () =>
    assert.deepEqual(
      headingsOf('docs/observability.md').filter((one) => one.startsWith('belfry')),
      alerts.map(({ alert }) => alert.toLowerCase()),
    ));
});

describe('the metrics that the code makes', () => {
  it('are those that the page of observability explains', () => {
    const sources = readSources(...WORKSPACES.map((workspace) => `${workspace}/src`));
    const made = sources.flatMap(({ code }) => code.match(/(?<=(?:\(|name:)\s*')belfry_\w+(?=')/g) ?? []);
    const page = readFileSync(path.join(ROOT, 'docs/observability.md'), 'utf8');
    assert.ok(made.length > 20);
    assert.deepEqual([...new Set(page.match(/(?<=`)belfry_\w+(?=`)/g))].sort(), [...new Set(made)].sort());
  });
});

describe('the dashboard', () => {
  const { panels, templating } = readDashboard();
  const shown = panels.filter(({ type }) => type !== 'row');

  it('has panels that can be told apart, each with a unit and a word for what it shows', () => {
    assert.ok(shown.length > 20);
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    for (const { title, description, fieldConfig, targets = [] } of shown) {
      assert.ok((description?.length ?? 0) > 15, title);
      assert.ok(fieldConfig?.defaults.unit, title);
      assert.ok(targets.length > 0, title);
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
    }
  });

  it('asks the data source that is chosen above it, and no other', () => {
    const variables = templating.list.map(({ name, type }) => `${name}: ${type}`);
    assert.ok(variables.includes('datasource: datasource'), variables.join());
    for (const panel of shown)
      for (const { datasource } of [panel, ...(panel.targets ?? [])])
        assert.match(datasource?.uid ?? '', /^\$\{datasource\}$/, panel.title);
  });

  it('has no panel that lies over another, or beyond the edge', () => {
    for (const { title, gridPos } of panels) assert.ok(gridPos.x + gridPos.w <= 24, title);
    const over = panels.flatMap((a, index) =>
      panels
        .slice(index + 1)
        .filter(
          (b) =>
            a.gridPos.x < b.gridPos.x + b.gridPos.w &&
            b.gridPos.x < a.gridPos.x + a.gridPos.w &&
            a.gridPos.y < b.gridPos.y + b.gridPos.h &&
            b.gridPos.y < a.gridPos.y + a.gridPos.h,
        )
        .map((b) => `${a.title} over ${b.title}`),
    );
    assert.deepEqual(over, []);
  });
});

describe('the files beside them', () => {
  type Service = { volumes?: string[]; ports?: string[]; environment?: Record<string, string> };

  it('are mounted from where they are, and are seen from this machine alone', () => {
    const { services }: { services: Record<string, Service> } = parse(read('docker-compose.yml'));
    const mounts = Object.values(services)
      .flatMap(({ volumes = [] }) => volumes)
      .filter((one) => one.startsWith('./'));
    assert.ok(mounts.length >= 4);
    for (const mount of mounts) assert.ok(existsSync(path.join(ROOT, mount.split(':')[0] ?? '')), mount);
    for (const port of Object.values(services).flatMap(({ ports = [] }) => ports))
      assert.match(port, /^127\.0\.0\.1:/);
  });

  it('scrape the port that every worker of the fleet is given', () => {
    type Scrapes = {
      rule_files: string[];
      scrape_configs: { job_name: string; dns_sd_configs: { names: string[]; port: number }[] }[];
    };
    const { scrape_configs, rule_files }: Scrapes = parse(read('prometheus.yml'));
    const fleet: { services: Record<string, Service> } = parse(
      readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8'),
      { merge: true },
    );
    assert.deepEqual(rule_files, ['alerts.yml']);
    for (const [job, service, setting] of [
      ['belfry-api', 'api', 'PORT'],
      ['belfry-worker', 'worker', 'WORKER_PORT'],
    ] as const) {
      const target = scrape_configs.find(({ job_name }) => job_name === job)?.dns_sd_configs[0];
      assert.deepEqual(target?.names, [service]);
      assert.equal(target?.port, Number(fleet.services[service]?.environment?.[setting]));
    }
  });
});

/** The anchors of a page's headings, as GitHub makes them. */
function headingsOf(file: string): string[] {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  return [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}
