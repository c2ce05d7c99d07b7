import { propagation, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  NodeTracerProvider,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-node'

/** Where spans go while the service runs. */
export type Tracing = {
  readonly provider: NodeTracerProvider
  /** Sends what waits, as far as the collector takes it in time. Never rejects. */
  close(): Promise<void>
}

/** A collector that takes longer gets no more: it may hold up neither requests nor the end. */
const longestExportMs = 3000

/** @param endpoint base URL of an OTLP/HTTP collector, without `/v1/traces`. */
export const startTracing = (endpoint: string): Tracing => {
  const url = `${endpoint.replace(/\/$/, '')}/v1/traces`
  const exporter = withoutTexts(new OTLPTraceExporter({ url, timeoutMillis: longestExportMs }))
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'tessera' }),
    spanProcessors: [
      // Bounded in memory: what does not fit is dropped.
      new BatchSpanProcessor(exporter, {
        scheduledDelayMillis: 1000,
        exportTimeoutMillis: longestExportMs,
      }),
    ],
  })
  // For W3C trace context (traceparent). Nothing here needs to find a span by itself.
  provider.register({ contextManager: null })
  return {
    provider,
    async close() {
      await provider.shutdown().catch(() => {})
      trace.disable()
      propagation.disable()
    },
  }
}

// The text of an error may hold what must not leave the log; and a refusal is no failure of ours.
const withoutTexts = (exporter: SpanExporter): SpanExporter => ({
  export: (spans, done) => exporter.export(spans.map(withoutText), done),
  shutdown: () => exporter.shutdown(),
  forceFlush: async () => exporter.forceFlush?.(),
})

const withoutText = (span: ReadableSpan): ReadableSpan => {
  const hasFailed = Number(span.attributes['http.response.status_code']) >= 500
  const code = hasFailed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET
  return Object.create(span, { status: { value: { code } } })
}
