import type { Counter, Gauge, Registry } from 'prom-client'

type Labels = Readonly<Record<string, string | number>>

/** Name and description of each metric; its labels follow. A name that ends in `_total` counts, any other is a gauge. */
export type Observed = Readonly<Record<string, readonly [description: string, ...labels: string[]]>>

/** Sets the value that is read of a metric. */
export type Report<Name extends string> = (name: Name, value: number, labels?: Labels) => void

/** Makes the metrics of a process. Names follow the conventions of Prometheus: base units, and a unit as suffix. */
export interface Meter {
  /** @returns adds to the counter */
  counter(name: string, description: string, labels?: readonly string[]): (by: number, labels?: Labels) => void
  /** @param bounds upper bounds of its buckets @returns records a value */
  histogram(
    name: string,
    description: string,
    bounds: readonly number[],
    labels?: readonly string[],
  ): (value: number, labels?: Labels) => void
  /**
   * Reads values whenever metrics are collected, and only then. What is not reported then has no value.
   * @param read must not wait for anything
   * @returns a function that ends the reading and removes the metrics
   */
  observe<Metrics extends Observed>(
    metrics: Metrics,
    read: (report: Report<keyof Metrics & string>) => void,
  ): () => void
}

/** A histogram of seconds that is told milliseconds. */
export function timer(meter: Meter, name: string, description: string, labels: readonly string[]) {
  const record = meter.histogram(name, description, seconds, labels)
  return (ms: number, values?: Labels): void => record(ms / 1_000, values)
}

const seconds = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
/** Bounds for numbers of events. */
export const counts: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000]

/** Loads prom-client, which only a monitored process needs: it takes 30 ms and 20 MB. */
export async function openMeter(): Promise<{ meter: Meter; registry: Registry }> {
  const prom = await import('prom-client')
  const registry = new prom.Registry()
  const registers = [registry]
  const meter: Meter = {
    // A consumer that starts again in its process continues its counters
    counter(name, help, labelNames = []) {
      const known = registry.getSingleMetric(name) as Counter | undefined
      const counter = known ?? new prom.Counter({ name, help, labelNames, registers })
      return (by, labels = {}) => counter.inc(labels, by)
    },
    histogram(name, help, bounds, labelNames = []) {
      const known = registry.getSingleMetric(name) as InstanceType<typeof prom.Histogram> | undefined
      const histogram = known ?? new prom.Histogram({ name, help, buckets: [...bounds], labelNames, registers })
      return (value, labels = {}) => histogram.observe(labels, value)
    },
    observe(metrics, read) {
      const made = new Map<string, Counter | Gauge>()
      const report: Report<string> = (name, value, labels = {}) => made.get(name)?.inc(labels, value)
      const collect = () => {
        for (const metric of made.values()) metric.reset()
        read(report)
      }
      for (const [name, [help, ...labelNames]] of Object.entries(metrics)) {
        // The first one reads for all: they are collected in this order
        const options = { name, help, labelNames, registers, ...(made.size === 0 && { collect }) }
        made.set(name, name.endsWith('_total') ? new prom.Counter(options) : new prom.Gauge(options))
      }
      return () => {
        for (const name of made.keys()) registry.removeSingleMetric(name)
      }
    },
  }
  return { meter, registry }
}
