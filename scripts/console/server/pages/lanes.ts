import { readGroups } from '../../../../consumers/operations/groups.ts'
import type { LaneHealth } from '../../../../consumers/operations/lanes/lane-health.ts'
import type { GroupHealth, Health } from '../../../../consumers/operations/lanes/read-health.ts'
import { troublesOf } from '../../../../consumers/operations/lanes/troubles.ts'
import { pidOf } from '../../../../consumers/operations/replicas/unsettled.ts'
import { readSpans } from '../../../../consumers/runtime/tables/ledger-account.ts'
import { TallyError } from '../../../../infra/errors.ts'
import { findStack } from '../../../../infra/stack/supervisor/running-stack.ts'
import type { StackStatus } from '../../../../infra/stack/supervisor/stack-record.ts'
import { currentConfig } from '../../../../infra/topic-generations/current-config.ts'
import type { ConsumerLanes, Lane, LaneHistory, LanesPage, ProcessesPage, Summary } from '../../contract/lanes.ts'
import type { ConsoleContext } from '../context.ts'
import { withAdvice } from '../http/failures.ts'
import type { Feed } from '../live/feeds.ts'
import { lastTwo, rateBetween } from '../live/health-samples.ts'
import type { HealthSamples } from '../live/health-samples.ts'

/** All lanes, the history of one, and the processes of the stack, if this machine runs it. */
export function laneFeeds(context: ConsoleContext, samples: HealthSamples): Record<string, Feed> {
  return {
    lanes: {
      everyMs: 2_000,
      async read() {
        const [health, stack] = await Promise.all([samples.read(), findStack(context.config.dataDir)])
        return lanesPage(health, stack, samples)
      },
    },
    summary: {
      everyMs: 10_000,
      async read(): Promise<Summary> {
        const lanes = (await samples.read()).groups.flatMap((group) => group.lanes)
        const isTroubled = (lane: LaneHealth) => troublesOf({ ...lane, parked: 0, forPersons: 0 }).length > 0
        return {
          parked: lanes.reduce((sum, { parked }) => sum + parked, 0),
          forOperator: lanes.reduce((sum, { forPersons }) => sum + forPersons, 0),
          troubledLanes: lanes.filter(isTroubled).length,
        }
      },
    },
    lane: {
      everyMs: 5_000,
      async read(query): Promise<LaneHistory> {
        const config = await currentConfig(context.config, context.pool)
        const group = (await readGroups(config)).find(({ name }) => name === query.get('consumer'))
        if (!group) throw new TallyError('USAGE', `There is no consumer "${query.get('consumer')}"`)
        const spans = await readSpans(context.pool, group.schema)
        const own = [...spans].filter(([place]) => place.endsWith(`/${query.get('lane')}`))
        return {
          spans: own
            .flatMap(([place, of]) => of.map((span) => ({ topic: place.replace(/\/\d+$/, ''), ...span })))
            .toSorted((a, b) => b.epoch - a.epoch || a.topic.localeCompare(b.topic))
            .slice(0, 200)
            .map(({ first, next, taken, duplicates, ignored, parked, holes, ...span }) => ({
              ...span,
              ...{ first: String(first), next: String(next), taken: String(taken), duplicates: String(duplicates) },
              ...{ ignored: String(ignored), parked: String(parked), holes: String(holes) },
            })),
        }
      },
    },
    processes: {
      everyMs: 3_000,
      async read(): Promise<ProcessesPage> {
        const stack = await findStack(context.config.dataDir)
        return {
          processes: (stack?.processes ?? []).map(({ name, title, kind, state, since, restarts }) => ({
            ...{ name, title, kind, state, since, restarts },
          })),
        }
      },
    },
  }
}

function lanesPage(health: Health, stack: StackStatus | undefined, { samples }: HealthSamples): LanesPage {
  const [older, newer] = lastTwo(samples)
  return {
    consumers: health.groups.map((group) => ({
      ...consumerLanes(group, stack),
      rate: rateBetween(older, newer, ({ groups }) => groups.get(group.group)?.position),
    })),
    undeployed: health.undeployed,
    brokerTrouble: health.brokerTrouble === undefined ? null : withAdvice(health.brokerTrouble),
  }
}

function consumerLanes({ group, lanes }: GroupHealth, stack: StackStatus | undefined): ConsumerLanes {
  const rows = lanes.map((lane) => laneJson(group, lane, stack))
  const replicas = [...new Set(rows.map(({ replica }) => replica))].toSorted((a, b) =>
    (a ?? '~').localeCompare(b ?? '~', 'en', { numeric: true }),
  )
  return {
    consumer: group,
    topics: lanes[0]?.topics.map(({ topic }) => topic) ?? [],
    replicas,
    lanes: rows,
    behind: lanes.some(({ behind }) => behind === undefined)
      ? null
      : lanes.reduce((sum, { behind = 0 }) => sum + behind, 0),
    behindMs: Math.max(0, ...lanes.map(({ behindMs }) => behindMs)),
    parked: lanes.reduce((sum, { parked }) => sum + parked, 0),
    rate: null,
    skew: skewOf(rows),
  }
}

/** Events behind of which a share is worth a word. */
const worthSaying = 200

function skewOf(lanes: readonly Lane[]): string | null {
  const total = lanes.reduce((sum, { behind }) => sum + (behind ?? 0), 0)
  const [most] = lanes.toSorted((a, b) => (b.behind ?? 0) - (a.behind ?? 0))
  if (total < worthSaying || !most || lanes.length < 2) return null
  const share = (most.behind ?? 0) / total
  if (share <= 3 / lanes.length || share < 0.3) return null
  return `Lane ${most.lane} holds ${Math.round(100 * share)} % of the unread events: one key may be much more frequent than others. More replicas do not help that lane.`
}

/** @param group of the lane @param stack that runs its owner, as far as it is of this machine */
export function laneJson(group: string, lane: LaneHealth, stack: StackStatus | undefined): Lane {
  const { condition, owner, silentMs, pause, lost } = lane
  const process = stack?.processes.find(({ identity }) => owner !== null && identity?.pid === pidOf(owner))
  const place = `${group}/${lane.lane}`
  const isPaused = pause !== null
  const cure = isPaused
    ? `npm run lanes -- resume ${group} --lane ${lane.lane}`
    : condition === 'stopped' && lost.length > 0
      ? `npm run lanes -- accept-loss ${place} --why "…"`
      : condition === 'stopped'
        ? `npm run lanes -- ls ${group} --all`
        : condition === 'silent' || condition === 'unowned'
          ? 'npm run stack -- status'
          : null
  return {
    lane: lane.lane,
    condition,
    replica: silentMs === null ? null : (process?.name ?? owner),
    owner,
    epoch: lane.epoch,
    behind: lane.behind ?? null,
    behindMs: lane.behindMs,
    parked: lane.parked,
    calls: lane.calls,
    timers: lane.timers,
    outbox: lane.outbox,
    silentMs,
    troubles: troublesOf(lane).map((sentence) => {
      const [text = '', own] = sentence.split(/: (?=npm run )/)
      return { text, cure: own?.replace('parked -- ls', `parked -- ls --group ${group}`) ?? cure }
    }),
    can: [
      isPaused ? ('resume' as const) : ('pause' as const),
      ...(lost.length > 0 ? (['accept-loss'] as const) : []),
      ...((lane.behind ?? 0) > 0 ? (['skip'] as const) : []),
    ],
    topics: lane.topics.map(({ topic, position, end }) => ({
      ...{ topic, position: String(position) },
      end: end === undefined ? null : String(end),
    })),
  }
}
