import type { Admin, Kafka } from 'kafkajs'
import type { Config } from '../../../infra/config.ts'
import { isTallyError, TallyError } from '../../../infra/errors.ts'
import { withGeneration } from '../../../infra/topic-generations/current-config.ts'
import type { Generation } from '../../../infra/topic-generations/generation-table.ts'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { countUnclaimed } from '../../../producers/outbox/lane-generations.ts'
import { usualLeaseMs } from '../../../producers/outbox/lane-leases.ts'
import { waitUntilQuiet } from '../wait-until-quiet.ts'
import { createGeneration, readEnds, sealGeneration } from './generation-topics.ts'
import { holdPublication } from './hold-publication.ts'
import { refuseReplays, standingLanes } from './preconditions.ts'
import { noteBegun, noteSealed, readRows } from './operation.ts'
import type { GenerationRow } from './operation.ts'
import { readRest } from './read-rest.ts'
import { readServices } from './services.ts'
import type { Services } from './services.ts'
import { switchServices } from './switch-services.ts'
import type { Moved } from './switch-services.ts'

/** The steps of a change, in order. After an interruption, the next run resumes at any of them. */
export type Step = 'topics' | 'drain' | 'switch' | 'claim' | 'seal'

export interface ChangeOptions {
  readonly config: Config
  readonly pool: Pool
  readonly kafka: Kafka
  readonly partitions: number
  readonly actor: string
  readonly why?: string
  /** How long orders may be held back before they are published to the old topics again. */
  readonly drainWithinMs: number
  /** How long replicas may take to own the new lanes. */
  readonly claimWithinMs: number
  readonly signal: AbortSignal
  /** @param left description of the remaining work of the step; empty when it is complete */
  onStep(step: Step, left: string): void
}

export interface Changed {
  readonly from: Generation
  readonly to: Generation
  /** Undefined if an earlier run has already switched. */
  readonly moved: Moved | undefined
  /** How long orders were held back, up to the moment all new lanes had owners. */
  readonly heldMs: number
  /** Records written into the old topics after the switch, which no consumer reads. `orders/3 offset 17`. */
  readonly strays: readonly string[]
}

const lookEveryMs = 100

/**
 * Changes the partition count of all topics: creates new topics beside the old ones, holds back the events of the
 * orders API, waits until all events of the old topics are processed, and switches all services in one transaction.
 * Call it within `exclusively`. A run resumes where an interrupted one ended.
 * @throws TallyError PRECONDITION_FAILED, NOT_DEPLOYED, BUSY, DRAIN_TIMEOUT: the old topics stay in use; CLAIM_TIMEOUT:
 *   the services have switched, but some lanes are not claimed yet
 */
export async function changePartitions(options: ChangeOptions): Promise<Changed> {
  const { config, pool, kafka, partitions, actor, why, onStep } = options
  const { namespace } = config
  const rows = await readRows(pool, namespace)
  const current = rows.findLast(({ switchedAt }) => switchedAt !== null)
  if (!current)
    throw new TallyError('NOT_DEPLOYED', 'There are no topics yet: `npm start` or `npm run deploy` makes them')
  const prepared = rows.find(({ switchedAt }) => switchedAt === null)
  if (prepared && prepared.partitions !== partitions)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `A change to ${prepared.partitions} partitions has begun: \`npm run partitions -- ${prepared.partitions}\` continues it, \`npm run partitions -- --cancel\` ends it`,
    )
  const former = rows.find(({ number }) => number === current.number - 1)
  if (former && current.sealedAt === null) {
    if (current.partitions !== partitions)
      throw new TallyError(
        'PRECONDITION_FAILED',
        `First \`npm run partitions -- ${current.partitions}\`: that change is not finished`,
      )
    return finish(options, former, current, undefined, performance.now())
  }
  if (current.partitions === partitions)
    throw new TallyError('PRECONDITION_FAILED', `The topics have ${partitions} partitions already`)

  const own = withGeneration(config, current)
  const services = await readServices(own, pool)
  await objectTo(options, services)
  const next = { number: current.number + 1, partitions }
  await noteBegun(pool, namespace, { ...next, actor, why })
  onStep('topics', 'in progress')
  await createGeneration(kafka, config, next)
  onStep('topics', '')

  const heldAt = performance.now()
  const hold = await holdPublication(pool, services.orders)
  try {
    // Connected before anything is locked
    const moved = await withAdmin(kafka, (admin) =>
      drainAndSwitch({ ...options, config: own }, admin, { services, from: current, to: next, heldAt }),
    )
    await hold.release() // The switch has freed the leases; renewed since, one would be kept for seconds
    return await finish(options, current, next, moved, heldAt)
  } finally {
    await hold.release()
  }
}

/** @throws TallyError PRECONDITION_FAILED */
async function objectTo({ config, pool }: ChangeOptions, services: Services): Promise<void> {
  await inTransaction(pool, (tx) => refuseReplays(tx, config.namespace))
  const standing = await standingLanes(pool, services)
  if (standing.length > 0)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `${standing.slice(0, 5).join('; ')}: their topics would never be read to the end. \`npm run lanes -- ls\` shows them, \`resume\` ends a pause`,
    )
}

/** Waits until every group has processed all events of its topics, and then switches. */
async function drainAndSwitch(
  { config, pool, drainWithinMs, signal, onStep }: ChangeOptions,
  admin: Admin,
  { services, from, to, heldAt }: { services: Services; from: Generation; to: Generation; heldAt: number },
): Promise<Moved> {
  const ends = () => readEnds(admin, config, from)
  let obstacle = ''
  const look = async (): Promise<{ moved?: Moved; left: string }> => {
    const rest = await readRest(pool, services, await ends())
    const left = [
      ...(rest.behind > 0 ? [`${rest.behind} events to take`] : []),
      ...(rest.unpublished > 0 ? [`${rest.unpublished} to publish`] : []),
    ].join(', ')
    const publishing = performance.now() - heldAt < usualLeaseMs // A replica of the orders API may not know yet that it is held
    if (left !== '' || publishing) {
      onStep('drain', `${left || 'waiting for the last publications'}, ${rest.held} held back`)
      return { left }
    }
    onStep('switch', `${rest.held} events of the orders API wait`)
    try {
      const moved = await switchServices({ config, pool, services, from, to, readEnds: ends })
      onStep('switch', '')
      return { left, moved }
    } catch (error) {
      if (!isTallyError(error, 'PRECONDITION_FAILED') && !isTallyError(error, 'BUSY')) throw error
      obstacle = error.message // A timer or an answer was processed in between
      return { left }
    }
  }
  const { state } = await waitUntilQuiet({
    look,
    isDone: ({ moved }) => moved !== undefined,
    patienceMs: drainWithinMs,
    everyMs: lookEveryMs,
    signal,
  })
  if (state.moved) return state.moved
  throw new TallyError(
    'DRAIN_TIMEOUT',
    `Not drained within ${Math.round(drainWithinMs / 1_000)} s: ${state.left || obstacle}. The pipeline continues with ${from.partitions} partitions; run the command again to retry`,
  )
}

/** Completes the change after the switch. The services run even without this. */
async function finish(
  { config, pool, kafka, claimWithinMs, signal, onStep }: ChangeOptions,
  from: Generation,
  to: Generation,
  moved: Moved | undefined,
  heldAt: number,
): Promise<Changed> {
  const services = await readServices(withGeneration(config, to), pool)
  const { state: left, done } = await waitUntilQuiet({
    look: () => unclaimed(pool, services, to),
    isDone: (lanes) => lanes === '',
    onProgress: (lanes) => onStep('claim', lanes),
    patienceMs: claimWithinMs,
    everyMs: lookEveryMs,
    signal,
  })
  if (!done)
    throw new TallyError(
      'CLAIM_TIMEOUT',
      `Switched, but ${left}: see \`npm run stack -- status\`; the same command finishes it`,
    )
  const heldMs = performance.now() - heldAt
  onStep('seal', 'in progress')
  await sealGeneration(kafka, config, from)
  const strays = behindCut(
    await readRows(pool, config.namespace),
    to,
    await withAdmin(kafka, (admin) => readEnds(admin, config, from)),
  )
  await noteSealed(pool, config.namespace, to)
  onStep('seal', '')
  return { from, to, moved, heldMs, strays }
}

/** The lanes that have no owner yet, in words; those of a consumer that does not run wait for it. */
async function unclaimed(pool: Pool, { orders, groups }: Services, generation: Generation): Promise<string> {
  const left: string[] = []
  for (const { name, schema } of [orders, ...groups]) {
    const lanes = await countUnclaimed(pool, schema, generation)
    if (lanes > 0) left.push(`${name} ${lanes}`)
  }
  return left.length > 0 ? `lanes have no owner yet: ${left.join(', ')}` : ''
}

function behindCut(
  rows: readonly GenerationRow[],
  { number }: Generation,
  ends: ReadonlyMap<string, readonly number[]>,
): string[] {
  const cut = rows.find((row) => row.number === number)?.cut ?? {}
  return [...ends].flatMap(([topic, partitions]) =>
    partitions.flatMap((end, partition) => {
      const from = cut[topic]?.[partition] ?? end
      return end > from ? [`${topic}/${partition} offset ${from}${end > from + 1 ? ` to ${end - 1}` : ''}`] : []
    }),
  )
}
