import type { Advice } from '../../consumers/operations/replicas/advice/advise.ts'

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
    help: 'Events that come in, over the last look.',
    of: ({ arrivingPerSecond }) => arrivingPerSecond,
  },
  {
    name: 'tally_events_taken_per_second',
    help: 'Events it takes, over the last look.',
    of: ({ takenPerSecond }) => takenPerSecond,
  },
]

/** The text format of Prometheus, version 0.0.4. What is not known is left out. */
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
