import { InvalidArgumentError } from 'commander'
import { consumerFolders, schemaName } from '../../runtime/load-consumer.ts'
import { readAudit } from '../../runtime/tables/audit.ts'
import type { AuditEntry } from '../../runtime/tables/audit.ts'
import { readParked } from './list-parked.ts'
import type { Selection } from './selection.ts'
import type { Config } from '../../../infra/config.ts'
import { TallyError } from '../../../infra/errors.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { commandLogger } from '../../../infra/kafka/command-client.ts'

/** Where a group keeps its parked events. */
export interface Lot {
  readonly group: string
  /** Connections that see the group's schema. */
  readonly pool: Pool
}

/** A parked event as a person names it: `payment/17`, or `17` where that is clear. */
export interface EventName {
  readonly group?: string
  readonly id: number
}

export interface Choice {
  group?: string[]
  key?: string[]
  reason?: Selection['reasons']
  id?: EventName[]
  all?: boolean
}

/** What is meant within one lot. */
export interface Chosen {
  readonly lot: Lot
  readonly selection: Selection
}

/** For commander: `17` or `payment/17`; given again, more of them. */
export function parseEventName(text: string, before: readonly EventName[] = []): EventName[] {
  const [, group, id] = /^(?:([a-z][a-z-]*)\/)?(\d{1,15})$/.exec(text) ?? []
  if (id === undefined) throw new InvalidArgumentError('an event is named like payment/17, or 17.')
  return [...before, { group, id: Number(id) }]
}

/** @throws TallyError USAGE for a group that does not exist, NOT_DEPLOYED for one without tables */
export async function withLots<T>(
  config: Config,
  names: readonly string[] | undefined,
  work: (lots: readonly Lot[]) => Promise<T>,
): Promise<T> {
  const folders = consumerFolders()
  const unknown = (names ?? []).filter((name) => !folders.includes(name))
  if (unknown.length > 0)
    throw new TallyError('USAGE', `No consumer "${unknown.join('", "')}": there are ${folders.join(', ')}`)
  const log = commandLogger('parked', config)
  const lots = (names ?? folders).map((group) => ({
    group,
    pool: createPool({
      url: config.postgres.url,
      schema: schemaName(config.namespace, group),
      name: 'tally-parked',
      max: 2,
      log,
    }),
  }))
  try {
    const deployed = await Promise.all(lots.map(async (lot) => ((await isDeployed(lot)) ? [lot] : [])))
    if (names !== undefined || deployed.flat().length === 0) {
      const missing = lots.filter((_, index) => deployed[index]?.length === 0).map(({ group }) => group)
      if (missing.length > 0)
        throw new TallyError(
          'NOT_DEPLOYED',
          `${missing.join(', ')}: no tables yet. \`npm start\` or \`npm run deploy\` makes them`,
        )
    }
    return await work(deployed.flat())
  } finally {
    await Promise.all(lots.map(({ pool }) => pool.end()))
  }
}

async function isDeployed({ pool }: Lot): Promise<boolean> {
  const { rows } = await pool.query<{ there: boolean }>(`select to_regclass('parked_audit') is not null as there`)
  return rows[0]?.there ?? false
}

/**
 * What is meant, lot by lot. Filters of different kinds must all hold.
 * @throws TallyError USAGE for an event that is not parked: says what became of it
 */
export async function choose(
  lots: readonly Lot[],
  { id: names, key: keys, reason: reasons }: Choice,
): Promise<Chosen[]> {
  if (names === undefined) return lots.map((lot) => ({ lot, selection: { keys, reasons } }))
  const ids = new Map<Lot, number[]>()
  for (const name of names) {
    const lot = await findEvent(lots, name)
    ids.set(lot, [...(ids.get(lot) ?? []), name.id])
  }
  return [...ids].map(([lot, idsOfLot]) => ({ lot, selection: { ids: idsOfLot, keys, reasons } }))
}

/** The lot in which an event is parked. @throws TallyError USAGE if it is in none, or more than one may be meant */
export async function findEvent(lots: readonly Lot[], { group, id }: EventName): Promise<Lot> {
  const named = lots.filter((lot) => group === undefined || lot.group === group)
  if (named.length === 0)
    throw new TallyError('USAGE', `${group} is not among the consumers ${lots.map((lot) => lot.group).join(', ')}`)
  const holding = await Promise.all(named.map(async (lot) => ((await readParked(lot.pool, id)) ? [lot] : [])))
  const found = holding.flat()
  if (found.length === 1) return found[0]!
  if (found.length > 1)
    throw new TallyError(
      'USAGE',
      `${id} is parked in more than one group: say ${found.map((lot) => `${lot.group}/${id}`).join(' or ')}`,
    )
  const traces = await Promise.all(
    named.map(async (lot) =>
      (await readAudit(lot.pool, [id])).slice(-1).map((entry) => `${lot.group}/${id} ${fateOf(entry)}`),
    ),
  )
  const traced = traces.flat()
  throw new TallyError(
    'USAGE',
    traced.length > 0 ? traced.join('; ') : `${group ? `${group}/` : ''}${id} was never parked`,
  )
}

/** What became of an event that is not parked any more. */
function fateOf({ action, actor, why, at, key }: AuditEntry): string {
  const fates: Partial<Record<AuditEntry['action'], string>> = {
    HANDLED: 'was handled',
    DUPLICATE: 'had nothing left to do',
    DROPPED: 'was dropped',
  }
  const reason = why ? `: ${why}` : ''
  return `(key ${key}) ${fates[action] ?? 'has left'} at ${at.toISOString()} by ${actor}${reason}`
}
