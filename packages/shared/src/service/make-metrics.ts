import { Counter, Histogram, type Registry } from 'prom-client';

/** From a mail server's quick yes to an outage that took an hour, in seconds. */
export const LONG = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600];

/** Makes metrics in a registry: names and units follow the Prometheus conventions ("Metric and label naming"). */
export function metricsIn(registry: Registry) {
  return {
    counter: <Label extends string>(name: string, help: string, ...labelNames: readonly Label[]) =>
      new Counter({ name, help, labelNames, registers: [registry] }),
    histogram: <Label extends string>(
      name: string,
      help: string,
      buckets: number[],
      ...labelNames: readonly Label[]
    ) => new Histogram({ name, help, labelNames, buckets, registers: [registry] }),
  };
}
