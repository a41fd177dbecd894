import { TallyError } from '../../../../infra/errors.ts'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import { readTopicIds } from '../../../../infra/kafka/topic-ids.ts'
import { inGeneration, topics as pipelineTopics } from '../../../../schemas/topics.ts'
import type { ReplayContext } from '../mode.ts'
import type { Mode, Plan, Selector } from '../plan.ts'
import { planId } from './plan-id.ts'
import type { RangeBound } from './range-bound.ts'
import { topicsOf } from '../rebuild/beginnings.ts'
import { totalParked } from '../../../runtime/tables/parked-figures.ts'
import { resolveRanges } from './resolve-ranges.ts'
import { scanRanges } from './scan-ranges.ts'
import { schemasMet } from './schemas-met.ts'

/** A request for a plan of the context's group. */
export interface PlanRequest {
  readonly mode: Mode
  /** Without namespace. @default those the group reads */
  readonly topics?: readonly string[]
  /** @default the first event on the broker */
  readonly from?: RangeBound
  /** Exclusive. @default the group's position for redeliver and reprocess, the end of the log for the others */
  readonly to?: RangeBound
  readonly selector?: Selector
  /** The target of a copy, without namespace. */
  readonly toTopic?: string
}

export interface Planning {
  readonly signal?: AbortSignal
  /** @param offsets read so far; @param total that will be read */
  onProgress?(offsets: number, total: number): void
}

/**
 * Resolves a request to offsets, reads the ranges once and reports their contents. Changes nothing.
 * @throws TallyError USAGE if the request is impossible; EVENTS_GONE if retention deletes the range meanwhile; UNREACHABLE
 */
export async function makePlan(
  context: ReplayContext,
  request: PlanRequest,
  { signal = new AbortController().signal, onProgress }: Planning = {},
): Promise<Plan> {
  const { config, definition, kafka, pool } = context
  const { mode, selector = {}, toTopic } = request
  refuseImpossible(context, request)
  const names = topicsMeant(context, request)
  const follows = mode === 'redeliver' || mode === 'reprocess'
  const { from = { at: 'earliest' }, to = { at: follows ? 'group' : 'latest' } } = request
  // Read before the offsets: if a topic is re-created in between, its id does not match and the plan is rejected
  const topics = await withIds(context, names)
  const pinned = await resolveRanges(context, { topics: names, from, to })
  const { clusterId } = await withAdmin(kafka, (admin) => admin.describeCluster())
  const total = pinned.reduce((sum, range) => sum + range.to - range.from, 0)
  const { partitions, schemas, unframed } = await scanRanges(context, pinned, {
    selector,
    topics,
    signal,
    onProgress: (offsets) => onProgress?.(offsets, total),
  })
  const said: Omit<Plan, 'id'> = {
    format: 1,
    createdAt: new Date().toISOString(),
    mode,
    group: definition?.group ?? null,
    toTopic: toTopic ?? null,
    cluster: { id: clusterId, namespace: config.namespace, partitions: config.partitions },
    topics,
    selector,
    partitions,
    schemas: await schemasMet(context, schemas),
    unframed,
    parkedEvents: definition ? await totalParked(pool) : 0,
  }
  return { ...said, id: planId(said) }
}

function refuseImpossible(
  { definition }: ReplayContext,
  { mode, selector = {}, from, to, toTopic }: PlanRequest,
): void {
  const usage = (sentence: string) => new TallyError('USAGE', sentence)
  if (mode !== 'copy' && !definition) throw usage(`${mode} needs a group: --group`)
  if (mode === 'copy' && toTopic === undefined) throw usage('copy needs a topic to write to: --to-topic')
  if (mode !== 'copy' && toTopic !== undefined) throw usage(`${mode} writes to no other topic: copy does`)
  if (!definition && (from?.at === 'group' || to?.at === 'group'))
    throw usage('which group? A position of a group needs --group')
  const chosen = Object.values(selector).some((condition) => condition !== undefined)
  if (chosen && (mode === 'redeliver' || mode === 'rebuild'))
    throw usage(`${mode} takes all events of its ranges, it cannot choose among them: reprocess and copy can`)
}

/** Topics of the pipeline. Their names denote the current generation. */
const own: ReadonlySet<string> = new Set(pipelineTopics.map(({ name }) => name))

/** @throws TallyError USAGE if no topic is named, or one that the group does not read */
function topicsMeant({ config, definition }: ReplayContext, { mode, topics = [] }: PlanRequest): string[] {
  const read = definition && topicsOf(definition, config.generation)
  const meant = topics.map((name) => (own.has(name) ? inGeneration(name, config.generation) : name))
  const names = meant.length > 0 ? [...new Set(meant)] : (read ?? [])
  if (names.length === 0)
    throw new TallyError('USAGE', 'which topic? Without --group, name topics in --from and --to, such as orders/3:1200')
  const foreign = mode === 'copy' ? [] : names.filter((name) => !read?.includes(name))
  if (foreign.length === 0) return names
  throw new TallyError(
    'USAGE',
    `${definition?.group} does not read ${foreign.join(', ')}: it reads ${read?.join(', ')}`,
  )
}

async function withIds({ config, kafka }: ReplayContext, topics: readonly string[]): Promise<Plan['topics']> {
  const onBroker = (topic: string) => `${config.namespace}${topic}`
  const ids = await readTopicIds(kafka, topics.map(onBroker))
  return topics.map((topic) => ({ topic, topicId: ids.get(onBroker(topic)) ?? null }))
}
