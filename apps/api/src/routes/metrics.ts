import type { Registry } from '@belfry/shared/service/metrics.js';
import { Router } from 'express';
import { fleetMetrics } from '../metrics/fleet-metrics.js';
import type { FleetView } from '../metrics/fleet-view.js';

/** What Prometheus scrapes: this process, and the fleet as a whole. No token, as a scraper inside the network has none. */
export function metricsRoutes(registry: Registry, view: () => Promise<FleetView>): Router {
  const router = Router({ caseSensitive: true });
  router.get('/metrics', async (_req, res) => {
    const fleet = await fleetMetrics(await view());
    res.set('Content-Type', registry.contentType).send(`${await registry.metrics()}\n${fleet}`);
  });
  return router;
}
