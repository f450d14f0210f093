import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export { Gauge, Histogram, Registry };

/** What a connection pool says of itself, as node-postgres does. */
export interface PoolUse {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** The metrics of one process, with those of Node.js itself: `process_…` and `nodejs_…`, event loop delay among them. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Shows how pools are used. An engine without one, such as Redis, is left out. */
export function showPools(registry: Registry, pools: Readonly<Record<string, PoolUse | undefined>>): void {
  const labels = Object.entries(pools).flatMap(([pool, use]) => (use === undefined ? [] : [{ pool, use }]));
  new Gauge({
    name: 'belfry_pool_connections',
    help: 'Connections to PostgreSQL that this process holds, by pool and whether they are in use.',
    labelNames: ['pool', 'state'],
    registers: [registry],
    collect() {
      for (const { pool, use } of labels) {
        this.set({ pool, state: 'busy' }, use.totalCount - use.idleCount);
        this.set({ pool, state: 'idle' }, use.idleCount);
      }
    },
  });
  new Gauge({
    name: 'belfry_pool_waiting',
    help: 'Queries of this process that wait for a connection, by pool.',
    labelNames: ['pool'],
    registers: [registry],
    collect() {
      for (const { pool, use } of labels) this.set({ pool }, use.waitingCount);
    },
  });
}
