import type { Attributes, HrTime } from '@opentelemetry/api'
import type { Resource } from '@opentelemetry/resources'
import type {
  AggregationTemporality,
  DataPoint,
  DataPointType,
  MetricData,
  MetricProducer,
} from '@opentelemetry/sdk-metrics'
import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client'

/** How often metrics are exported, ms. */
const everyMs = 15_000

/**
 * Exports what `/metrics` answers by OTLP/HTTP, to the collector that the variables `OTEL_EXPORTER_OTLP_…` name: one
 * source of metrics, under the same names. A collector that is gone costs nothing but the attempts. The packages are
 * loaded here only.
 * @returns stops after a last export
 */
export async function exportMetrics(
  registry: Registry,
  service: string,
  replica: string,
): Promise<() => Promise<void>> {
  const [metrics, { OTLPMetricExporter }, { resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/exporter-metrics-otlp-http'),
    import('@opentelemetry/resources'),
  ])
  const resource = resourceFromAttributes({ 'service.name': service, 'service.instance.id': replica })
  const reader = new metrics.PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis: everyMs,
    exportTimeoutMillis: everyMs / 3,
  })
  reader.setMetricProducer(producerOf(registry, resource, metrics))
  return () => reader.shutdown().catch(() => {}) // The collector may be gone
}

/** Enumerations of the package, which is loaded only if metrics are exported. */
interface Kinds {
  readonly AggregationTemporality: typeof AggregationTemporality
  readonly DataPointType: typeof DataPointType
}

/** Reads the registry of prom-client whenever metrics are exported. */
function producerOf(registry: Registry, resource: Resource, kinds: Kinds): MetricProducer {
  const startTime = hrTime(performance.timeOrigin)
  return {
    async collect() {
      const endTime = hrTime(performance.timeOrigin + performance.now())
      const found = (await registry.getMetricsAsJSON()) as MetricObjectWithValues<MetricValue<string>>[]
      const metrics = found.map((metric) => toMetricData(metric, { startTime, endTime }, kinds))
      return { resourceMetrics: { resource, scopeMetrics: [{ scope: { name: 'tally' }, metrics }] }, errors: [] }
    },
  }
}

type Times = Pick<DataPoint<unknown>, 'startTime' | 'endTime'>

function toMetricData(
  { name, help, type, values }: MetricObjectWithValues<MetricValue<string>>,
  times: Times,
  kinds: Kinds,
): MetricData {
  const common = {
    descriptor: { name, description: help, unit: unitOf(name), valueType: 1 },
    aggregationTemporality: kinds.AggregationTemporality.CUMULATIVE,
  }
  if (String(type) === 'histogram')
    return { ...common, dataPointType: kinds.DataPointType.HISTOGRAM, dataPoints: histogramPoints(name, values, times) }
  const dataPoints = values.map(({ labels, value }) => ({ ...times, attributes: labels as Attributes, value }))
  if (String(type) === 'counter')
    return { ...common, dataPointType: kinds.DataPointType.SUM, dataPoints, isMonotonic: true }
  return { ...common, dataPointType: kinds.DataPointType.GAUGE, dataPoints }
}

/** Prometheus counts in each bucket what lies below its bound, OpenTelemetry what lies between two bounds. */
function histogramPoints(name: string, values: readonly MetricValue<string>[], times: Times) {
  const series = Map.groupBy(values, ({ labels }) => JSON.stringify(withoutBound(labels)))
  return [...series.values()].map((of) => {
    const suffixed = (suffix: string) => of.filter((each) => nameOf(each) === `${name}_${suffix}`)
    const below = suffixed('bucket')
    return {
      ...times,
      attributes: withoutBound(of[0]?.labels ?? {}),
      value: {
        buckets: {
          boundaries: below.map(({ labels }) => Number(labels['le'])).filter(Number.isFinite),
          counts: below.map(({ value }, index) => value - (below[index - 1]?.value ?? 0)),
        },
        sum: suffixed('sum')[0]?.value ?? 0,
        count: suffixed('count')[0]?.value ?? 0,
      },
    }
  })
}

function withoutBound(labels: object): Attributes {
  const { le: _, ...attributes } = labels as Record<string, string | number>
  return attributes
}

const nameOf = (value: MetricValue<string>): string => (value as { metricName?: string }).metricName ?? ''

/** By the conventions of Prometheus the unit is part of the name. */
function unitOf(name: string): string {
  if (/_seconds(_total)?$/.test(name)) return 's'
  return name.endsWith('_bytes') ? 'By' : ''
}

const hrTime = (ms: number): HrTime => [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1e6)]
