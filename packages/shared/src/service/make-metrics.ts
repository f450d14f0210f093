import { Counter, Histogram, type Registry } from 'prom-client';

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
