import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as it arrived at the collector. */
export type CollectedSpan = {
  readonly service: string;
  readonly scope: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
  readonly startedAt: bigint;
  readonly endedAt: bigint;
};

export type Collector = {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  /** What has arrived so far, in that order. */
  readonly spans: readonly CollectedSpan[];
  /** Every body that arrived, as it was. */
  readonly bodies: readonly string[];
  stop(): Promise<void>;
};

/** A collector of traces that takes OTLP over HTTP, as JSON. With `mute` it takes calls and never answers. */
export async function startCollector({ mute = false } = {}): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const bodies: string[] = [];
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    bodies.push(body);
    if (mute) return;
    if (req.url !== '/v1/traces' || req.method !== 'POST') {
      res.writeHead(404).end();
      return;
    }
    spans.push(...spansIn(JSON.parse(body)));
    res.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    bodies,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/* ExportTraceServiceRequest of the OpenTelemetry protocol, in its JSON mapping, as far as it is read here. */
type Request = { resourceSpans: { resource: Attributed; scopeSpans: ScopeSpans[] }[] };
type ScopeSpans = { scope: { name: string }; spans: (WireSpan & Attributed)[] };
type WireSpan = {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status: { code?: number };
};
type Attributed = { attributes: { key: string; value: Record<string, unknown> }[] };

function spansIn({ resourceSpans }: Request): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        service: String(factsOf(resource)['service.name']),
        scope: scope.name,
        name: span.name,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        facts: factsOf(span),
        failed: span.status.code === 2,
        startedAt: BigInt(span.startTimeUnixNano),
        endedAt: BigInt(span.endTimeUnixNano),
      })),
    ),
  );
}

function factsOf({ attributes }: Attributed): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
