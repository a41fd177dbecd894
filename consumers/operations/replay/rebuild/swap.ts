import { describeError, isTallyError, TallyError } from '../../../../infra/errors.ts'
import { quoteIdentifier } from '../../../../infra/postgres/identifiers.ts'
import { copyRights } from '../../../../infra/postgres/owners.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import { isTransient } from '../../../../infra/postgres/sqlstates.ts'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import { addLanes, hasNewerGeneration, lockEveryLane } from '../../../../producers/outbox/lane-generations.ts'
import type { Tx } from '../../../../infra/postgres/transaction.ts'
import { inGeneration, withoutGeneration } from '../../../../schemas/topics.ts'
import { groupStanding } from '../reading/group-standing.ts'
import type { Figures, ReplayRun } from '../mode.ts'
import { replaySchema } from '../replay-schema.ts'
import type { Fold } from './fold.ts'
import type { FoldContext } from './fold-lane.ts'
import { reached } from './reached.ts'
import { totalParked } from '../../../runtime/tables/parked-figures.ts'
import { differences, dropSchema, ownTables } from './tables-aside.ts'
import type { Schemas } from './tables-aside.ts'

/** Maximum number of offsets to fold while the lanes are paused. */
const atMost = 5_000

/** - behind  the group has advanced too far meanwhile
 *  - parked  events of the group are parked
 *  - busy    a reader or an owner holds its locks for long, or the database failed transiently before the commit */
export type SwapEnd = 'swapped' | 'behind' | 'parked' | 'busy'

export interface Swap {
  readonly run: ReplayRun
  /** Where the tables aside are. */
  readonly schemas: Schemas
  readonly aside: Pool
  readonly fold: Fold
  /** Whether the tables the group had are kept, in the schema `before`. */
  readonly keep: boolean
}

/**
 * Replaces the group's tables by the tables aside, in one transaction that pauses all its lanes: the tables then agree with the
 * ledger, and the owners continue without a new claim. Readers wait until the transaction ends, at most.
 * @returns why the tables were not swapped; the fold remains usable only after `behind` and `parked`
 * @throws TallyError PRECONDITION_FAILED if the layouts of the tables differ
 */
export async function swap(context: FoldContext, parts: Swap): Promise<SwapEnd> {
  let atCommit = false // What fails then may have taken effect: only `resume` finds out
  try {
    return await inTransaction(parts.aside, async (tx) => {
      const end = await trySwap(tx, context, parts)
      atCommit = true
      return end
    })
  } catch (error) {
    if (atCommit || parts.run.signal.aborted || isTallyError(error) || !isTransient(error)) throw error
    context.log.warn({ replay: parts.run.id, error: describeError(error) }, 'tables not swapped yet')
    return 'busy'
  }
}

async function trySwap(tx: Tx, context: FoldContext, { run, schemas, fold, keep }: Swap): Promise<SwapEnd> {
  const { live, aside, before } = schemas
  const { config, definition } = context
  const path = [aside, live, replaySchema(config.namespace)].map(quoteIdentifier).join(', ')
  await tx.query(`set local search_path = ${path}`)
  await tx.query(`set local idle_in_transaction_session_timeout = '2s'`) // As a replica's: others wait for the lanes
  await tx.query(`set local lock_timeout = '500ms'`) // Less than the server waits before it looks for deadlocks: we give way
  await addLanes(tx, config.partitions, config.generation) // An owner that claims a lane only now waits as well
  await lockEveryLane(tx)
  const lockedAt = performance.now()
  if ((await totalParked(tx)) > 0) return 'parked'
  const standing = await groupStanding(tx, fold.positions)
  await refuseElsewhere(tx, context, fold, standing)
  const targets = await reached(tx, fold.positions, standing)
  const left = fold.left(targets)
  if (left > atMost) return 'behind'
  await fold.upTo(targets, tx)
  const tables = await ownTables(tx, schemas)
  await tx.query(
    `lock table ${tables.map((name) => `${quoteIdentifier(live)}.${quoteIdentifier(name)}`).join(', ')} in access exclusive mode`,
  )
  await refuseUnlike(tx, schemas)
  if (keep) await tx.query(`create schema ${quoteIdentifier(before)}`)
  for (const table of tables) {
    const name = quoteIdentifier(table)
    await copyRights(tx, `${quoteIdentifier(live)}.${name}`, `${quoteIdentifier(aside)}.${name}`)
    if (keep) await tx.query(`alter table ${quoteIdentifier(live)}.${name} set schema ${quoteIdentifier(before)}`)
    else await tx.query(`drop table ${quoteIdentifier(live)}.${name}`)
    await tx.query(`alter table ${quoteIdentifier(aside)}.${name} set schema ${quoteIdentifier(live)}`)
  }
  if (keep)
    for (const table of ['fold_position', 'fold_seen'])
      await tx.query(`alter table ${quoteIdentifier(aside)}.${table} set schema ${quoteIdentifier(before)}`)
  await dropSchema(tx, aside)
  const figures: Figures = { lockedMs: Math.ceil(performance.now() - lockedAt), foldedLocked: left }
  await run.advance(tx, [], { ...figures, ...(keep ? { swapped: 1 } : { undone: 1 }) })
  context.log.info({ group: definition.group, replay: run.id, tables, ...figures }, 'tables swapped')
  return 'swapped'
}

/**
 * A deployment may have changed the group's tables since these were made or kept.
 * @throws TallyError PRECONDITION_FAILED
 */
async function refuseUnlike(tx: Tx, schemas: Schemas): Promise<void> {
  const differing = await differences(tx, schemas)
  const [live, aside] = [schemas.live, schemas.aside].map((schema) => `${quoteIdentifier(schema)}.migration_own`)
  const { rows } = await tx.query<{ name: string }>(
    `select name from ${live} full join ${aside} as other using (name) where ${live}.name is null or other.name is null`,
  )
  if (differing.length === 0 && rows.length === 0) return
  const changes = rows.map(({ name }) => `only one side has the change ${name}`)
  throw new TallyError(
    'PRECONDITION_FAILED',
    `the tables no longer fit the live ones: ${[...differing, ...changes].join('; ')}`,
  )
}

/**
 * Tables and ledger must agree: with tables that lack events, the owners would continue as if nothing were missing; with tables
 * that are ahead, they would process events twice.
 * @throws TallyError PRECONDITION_FAILED
 */
async function refuseElsewhere(
  tx: Tx,
  { config, definition }: FoldContext,
  { positions }: Fold,
  standing: ReadonlyMap<string, number>,
): Promise<void> {
  const { group } = definition
  const former = positions.find(({ topic }) => topic !== inGeneration(withoutGeneration(topic), config.generation))
  if (former || (await hasNewerGeneration(tx, config.generation)))
    throw new TallyError(
      'PRECONDITION_FAILED',
      `the topics were re-created since these tables were filled: they would lack what ${group} has processed from the new ones`,
    )
  const ahead = positions.find(({ topic, partition, next }) => next > (standing.get(`${topic}/${partition}`) ?? 0))
  if (ahead)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `these tables are ahead of ${group} at ${ahead.topic}/${ahead.partition}: it has started over since they were filled`,
    )
}
