import { readGroups } from '../../../../consumers/operations/groups.ts'
import type { Group } from '../../../../consumers/operations/groups.ts'
import type { GroupHealth, Health } from '../../../../consumers/operations/lanes/read-health.ts'
import { troublesOf } from '../../../../consumers/operations/lanes/troubles.ts'
import { inGeneration, topics } from '../../../../schemas/topics.ts'
import type { FlowConsumer, FlowEdge, FlowPage, FlowTopic, Point } from '../../contract/flow.ts'
import type { ConsoleContext } from '../context.ts'
import { troubleOf, withAdvice } from '../http/failures.ts'
import type { Feed } from '../live/feeds.ts'
import { lastTwo, rateBetween } from '../live/health-samples.ts'
import type { HealthSamples, Sample } from '../live/health-samples.ts'

/** Who writes and reads what, drawn from the code's own topics and consumers. */
export const flowFeed = (context: ConsoleContext, samples: HealthSamples): Feed => ({
  everyMs: 2_000,
  async read(): Promise<FlowPage> {
    const { config } = await context.present()
    const [groups, { health, error }] = await Promise.all([
      readGroups(config),
      samples.read().then(
        (found) => ({ health: found, error: undefined }),
        (failure: unknown) => ({ health: undefined, error: failure }),
      ),
    ])
    const flow = new Flow(samples.samples)
    const drawn = topics.map((topic) => flow.topic(inGeneration(topic.name, config.generation), topic))
    if (!health)
      return {
        topics: drawn.map((topic) => ({ ...topic, records: null, rate: null })),
        consumers: groups.map(({ name }) => flow.unknown(name)),
        reads: groups.flatMap((group) => flow.edges(group, { groups: [] })),
        ...{ unpublished: null, brokerTrouble: null, databaseTrouble: troubleOf(error, config) },
      }
    const deployed = groups.filter(({ name }) => health.groups.some(({ group }) => group === name))
    return {
      topics: drawn,
      consumers: health.groups.map((group) => flow.consumer(group)),
      reads: deployed.flatMap((group) => flow.edges(group, health)),
      unpublished: health.orders ? { events: health.orders.waiting, oldestMs: health.orders.oldestMs } : null,
      brokerTrouble: health.brokerTrouble === undefined ? null : withAdvice(health.brokerTrouble),
      databaseTrouble: null,
    }
  },
})

class Flow {
  private readonly samples: readonly Sample[]
  private readonly older: Sample | undefined
  private readonly newer: Sample | undefined

  constructor(samples: readonly Sample[]) {
    this.samples = samples
    ;[this.older, this.newer] = lastTwo(samples)
  }

  topic(name: string, { events, writtenBy }: (typeof topics)[number]): FlowTopic {
    const end = this.newer?.ends.get(name)
    return {
      name,
      writers: writtenBy.split(', '),
      events,
      records: end === undefined ? null : String(end),
      rate: this.rate(({ ends }) => ends.get(name)),
      history: this.history(
        ({ ends }) => ends.get(name),
        () => null,
      ),
    }
  }

  consumer({ group, lanes }: GroupHealth): FlowConsumer {
    const owners = lanes.filter(({ silentMs }) => silentMs !== null).map(({ owner }) => owner)
    const own = (sample: Sample) => sample.groups.get(group)
    return {
      name: group,
      replicas: new Set(owners).size,
      behind: lanes.some(({ behind }) => behind === undefined) ? null : sum(lanes, ({ behind = 0 }) => behind),
      behindMs: Math.max(0, ...lanes.map(({ behindMs }) => behindMs)),
      parked: sum(lanes, ({ parked }) => parked),
      failingCalls: sum(lanes, ({ failingCalls }) => failingCalls),
      lingerMs: Math.ceil(
        Math.max(0, ...lanes.flatMap(({ pace }) => [pace?.transactions.floorMs ?? 0, pace?.publishing.floorMs ?? 0])),
      ),
      troubled: lanes.filter((lane) => troublesOf(lane).length > 0).length,
      rate: this.rate((sample) => own(sample)?.position),
      history: this.history(
        (sample) => own(sample)?.position,
        (sample) => own(sample)?.behind ?? null,
      ),
    }
  }

  /** A consumer of which only the last hour is known. */
  unknown(group: string): FlowConsumer {
    const figures = { replicas: null, behind: null, behindMs: 0, parked: null, failingCalls: null, lingerMs: 0 }
    const history = this.history(
      (sample) => sample.groups.get(group)?.position,
      (sample) => sample.groups.get(group)?.behind ?? null,
    )
    return { name: group, ...figures, troubled: 0, rate: null, history }
  }

  /** Lag and rate are unknown for a group without lanes. */
  edges({ name, topics: read, handles }: Group, { groups }: Pick<Health, 'groups'>): FlowEdge[] {
    const lanes = groups.find(({ group }) => group === name)?.lanes
    return [...read].map((topic) => {
      const places = lanes?.flatMap(({ topics: own }) => own.filter((each) => each.topic === topic))
      const types = topics.find((each) => topic.replace(/\.g\d+$/, '') === each.name)?.events ?? []
      return {
        topic,
        consumer: name,
        handles: types.filter((type) => handles.has(type)),
        rate: places ? this.rate((sample) => sample.groups.get(name)?.positions.get(topic)) : null,
        behind:
          !places || places.some(({ end }) => end === undefined)
            ? null
            : places.reduce((total, { position, end = 0 }) => total + Math.max(0, end - position), 0),
      }
    })
  }

  private rate(figure: (sample: Sample) => number | undefined): number | null {
    return rateBetween(this.older, this.newer, figure)
  }

  /** At most 120 points. */
  private history(figure: (sample: Sample) => number | undefined, behind: (sample: Sample) => number | null): Point[] {
    const step = Math.max(1, Math.ceil(this.samples.length / 120))
    const chosen = this.samples.filter((_, at) => at % step === 0 || at === this.samples.length - 1)
    return chosen.map((sample, at) => ({
      at: new Date(sample.at).toISOString(),
      rate: at === 0 ? null : rateBetween(chosen[at - 1], sample, figure),
      behind: behind(sample),
    }))
  }
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0)
