import { NO_TRACING, type Tracing, type TracingOptions } from './tracing.js';

/** Opens tracing. Neither the SDK of OpenTelemetry nor its exporter is loaded unless it is on. */
export async function openTracing(options: TracingOptions): Promise<Tracing> {
  if (!options.on) return NO_TRACING;
  const { openTelemetryTracing } = await import('./open-telemetry.js');
  return openTelemetryTracing(options);
}
