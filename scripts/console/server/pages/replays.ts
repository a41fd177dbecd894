import { readGroups } from '../../../../consumers/operations/groups.ts'
import { listReplays } from '../../../../consumers/operations/replay/run/control-replay.ts'
import type { ListedReplay } from '../../../../consumers/operations/replay/run/control-replay.ts'
import { modes } from '../../../../consumers/operations/replay/run/modes.ts'
import { openReplayPool } from '../../../../consumers/operations/replay/replay-schema.ts'
import { hasSqlState } from '../../../../infra/postgres/sqlstates.ts'
import { currentConfig } from '../../../../infra/topic-generations/current-config.ts'
import type { Logger } from '../../../../infra/logger.ts'
import { eventTypes, inGeneration, topics } from '../../../../schemas/topics.ts'
import { figuresSentence } from '../../../replay/figures.ts'
import type { ReplayChoices, ReplayLine, ReplaysPage } from '../../contract/replay.ts'
import type { ConsoleContext } from '../context.ts'
import type { Feed } from '../live/feeds.ts'

/** Replays so far, and what a new one may name. */
export function replayFeeds(
  context: ConsoleContext,
  log: Logger,
): { feeds: Record<string, Feed>; stop(): Promise<void> } {
  const pool = openReplayPool(context.config, log)
  return {
    feeds: {
      replays: {
        everyMs: 1_000,
        async read(): Promise<ReplaysPage> {
          const rows = await listReplays(pool, 50).catch((error: unknown) => {
            if (hasSqlState(error, 'undefinedTable')) return [] // Before the first replay there are no tables
            throw error
          })
          return { replays: rows.map(lineOf) }
        },
      },
      'replay-choices': {
        everyMs: 30_000,
        async read(): Promise<ReplayChoices> {
          const config = await currentConfig(context.config, context.pool)
          const groups = await readGroups(config)
          return {
            groups: groups.map(({ name, topics: read }) => ({ name, topics: [...read] })),
            topics: topics.map(({ name }) => inGeneration(name, config.generation)),
            types: eventTypes,
          }
        },
      },
    },
    stop: () => pool.end(),
  }
}

function lineOf(row: ListedReplay): ReplayLine {
  const { id, mode, target, state, reason, actor, why, createdAt, endedAt, share, attended, plan, figures } = row
  const isLeft = state === 'running' && !attended
  return {
    ...{ id, mode, target, reason, actor, why, share },
    state: isLeft ? 'unattended' : state,
    startedAt: createdAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
    figures: figuresSentence(plan, figures),
    can: [
      ...(state === 'running' ? (['pause'] as const) : []),
      ...(isLeft || state === 'paused' || state === 'stopped' ? (['resume'] as const) : []),
      ...(endedAt === null ? (['cancel'] as const) : []),
      ...(endedAt !== null && state !== 'undone' && typeof modes[mode].undo !== 'string' ? (['undo'] as const) : []),
    ],
  }
}
