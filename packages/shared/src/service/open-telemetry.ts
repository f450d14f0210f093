import {
  type Context,
  context,
  DiagLogLevel,
  diag,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import { BullMQOtel } from 'bullmq-otel';
import { newId } from '../domain/ids.js';
import type { Facts, LiveSpan, SpanOptions, Tracing, TracingOptions } from './tracing.js';

const KINDS = {
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  client: SpanKind.CLIENT,
} as const;

/**
 * OpenTelemetry's tracing over OTLP/HTTP. Where the collector is, and with which headers and limits it is spoken to, the
 * exporter reads from the standard variables of the OpenTelemetry specification.
 */
export function openTelemetryTracing({ service, share, onError }: TracingOptions): Tracing {
  tellOf(onError);
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': service, 'service.instance.id': newId() }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: new ParentBasedSampler({ root: callsOnly(share) }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  const tracer = trace.getTracer('belfry');

  function start(name: string, options: SpanOptions, parent: Context): Span {
    const kind = options.kind === undefined ? SpanKind.INTERNAL : KINDS[options.kind];
    const begun = options.startedMsAgo === undefined ? {} : { startTime: Date.now() - options.startedMsAgo };
    return tracer.startSpan(name, { kind, attributes: options.facts ?? {}, ...begun }, parent);
  }

  return {
    async span(name, options, work) {
      const parent = parentOf(options.parent);
      const span = start(name, options, parent);
      try {
        return await context.with(trace.setSpan(parent, span), () => work(live(span)));
      } catch (error) {
        // Its text may hold anything, so only its class is told.
        fail(span, error instanceof Error ? error.name : 'unknown');
        throw error;
      } finally {
        span.end();
      }
    },
    past(name, options) {
      const span = start(name, options, parentOf(options.parent));
      if (options.failed !== undefined) fail(span, options.failed);
      span.end(Date.now() - (options.endedMsAgo ?? 0));
    },
    current() {
      const carrier: { traceparent?: string } = {};
      propagation.inject(context.active(), carrier);
      return carrier.traceparent ?? null;
    },
    telemetry: new BullMQOtel({ tracerName: 'bullmq' }),
    stop: () => provider.shutdown().catch(onError),
  };
}

/**
 * The context of what comes next. A `traceparent` wins over the span around it, unless that belongs to the same trace: then
 * it is nearer. BullMQ's span around a job is; for a job that was made again from the ledger there is none.
 */
function parentOf(traceparent: string | null | undefined): Context {
  const here = context.active();
  if (traceparent === undefined || traceparent === null) return here;
  const named = propagation.extract(ROOT_CONTEXT, { traceparent });
  const around = trace.getSpanContext(here);
  const wanted = trace.getSpanContext(named);
  if (wanted === undefined || !isSpanContextValid(wanted)) return here;
  return around?.traceId === wanted.traceId ? here : named;
}

/** A trace begins with a call. What BullMQ does by itself, such as looking for stalled jobs, would only be noise. */
function callsOnly(share: number): Sampler {
  const [calls, never] = [new TraceIdRatioBasedSampler(share), new AlwaysOffSampler()];
  return {
    shouldSample: (parent, traceId, _name, kind) =>
      kind === SpanKind.SERVER ? calls.shouldSample(parent, traceId) : never.shouldSample(),
    toString: () => `calls{${share}}`,
  };
}

function live(span: Span): LiveSpan {
  return {
    rename: (name) => void span.updateName(name),
    say: (facts: Facts) => void span.setAttributes(facts),
    fail: (why) => fail(span, why),
  };
}

function fail(span: Span, why: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: why });
}

/** What goes wrong on the way to the collector is told, and harms nothing. */
function tellOf(onError: (error: Error) => void): void {
  const nothing = () => undefined;
  diag.setLogger(
    {
      error: () => onError(new Error('Traces could not be sent to the collector.')),
      warn: nothing,
      info: nothing,
      debug: nothing,
      verbose: nothing,
    },
    DiagLogLevel.ERROR,
  );
}
