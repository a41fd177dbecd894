import type { Advice } from './advise.ts'

interface Metric {
  readonly name: string
  readonly help: string
  of(advice: Advice): number | null
}

const metrics: readonly Metric[] = [
  { name: 'tally_replicas_advised', help: 'Replicas this consumer needs.', of: ({ needed }) => needed },
  { name: 'tally_replicas', help: 'Replicas this consumer has.', of: ({ replicas }) => replicas },
  {
    name: 'tally_lag_seconds',
    help: 'How long the oldest event it has not read has waited.',
    of: ({ lagSeconds }) => lagSeconds,
  },
  { name: 'tally_lag_events', help: 'Events it has not read.', of: ({ behind }) => behind },
  {
    name: 'tally_events_arriving_per_second',
    help: 'Events that arrive, measured over the last seconds.',
    of: ({ arrivingPerSecond }) => arrivingPerSecond,
  },
  {
    name: 'tally_events_taken_per_second',
    help: 'Events it processes, measured over the last seconds.',
    of: ({ takenPerSecond }) => takenPerSecond,
  },
]

/** The text format of Prometheus, version 0.0.4. Unknown figures are left out. */
export function metricsText(advices: readonly Advice[]): string {
  const lines = metrics.flatMap(({ name, help, of }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...advices.flatMap((advice) => {
      const value = of(advice)
      return value === null ? [] : `${name}{consumer="${advice.consumer}"} ${value}`
    }),
  ])
  return `${lines.join('\n')}\n`
}

/** For machines: the figures rounded to a tenth. */
export const adviceJson = (advice: Advice) => ({
  consumer: advice.consumer,
  replicas: advice.replicas,
  replicasAdvised: advice.needed,
  lagSeconds: rounded(advice.lagSeconds),
  behind: advice.behind,
  arrivingPerSecond: rounded(advice.arrivingPerSecond),
  takenPerSecond: rounded(advice.takenPerSecond),
  because: advice.because,
})

const rounded = (value: number): number => Math.round(value * 10) / 10
