import { z } from 'zod'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { readLeasedLanes } from '../../outbox/lane-leases.ts'
import type { LeasedLane } from '../../outbox/lane-leases.ts'
import { readiness } from './contract.ts'
import type { Readiness } from './contract.ts'
import { operation } from './operation.ts'
import type { Operation } from './operation.ts'
import { reachDatabase } from '../reach-database.ts'

export interface HealthDeps {
  pool: Pool
  /** Name of this replica. */
  owner: string
  /** Rejects while orders cannot be encoded, because the schema ids are unknown. */
  encoder(): Promise<unknown>
}

/** For supervisors and load balancers. */
export function healthOperations({ pool, owner, encoder }: HealthDeps): Operation[] {
  return [
    operation({
      method: 'get',
      access: 'open',
      path: '/health',
      id: 'getHealth',
      summary: 'Report whether the process is alive',
      request: {},
      answers: { 200: { description: 'The process is alive', body: z.object({ alive: z.literal(true) }) } },
      handle: () => ({ status: 200, body: { alive: true } }),
    }),
    operation({
      method: 'get',
      access: ['operations'],
      path: '/ready',
      id: 'getReadiness',
      summary: 'Report whether orders can be accepted',
      description: 'Kafka may be unavailable: accepted orders then wait in the outbox.',
      request: {},
      answers: {
        200: { description: 'Orders can be accepted', body: readiness },
        503: { description: 'The database does not answer, or the first deployment is still running' },
      },
      handle: async () => {
        await encoder()
        return { status: 200, body: readinessOf(owner, await reachDatabase(() => readLeasedLanes(pool))) }
      },
    }),
  ]
}

function readinessOf(owner: string, rows: readonly LeasedLane[]): Readiness {
  const heldBy = (matches: (holder: string | null) => boolean) =>
    rows.filter(({ holder }) => matches(holder)).map(({ lane }) => lane)
  return {
    ready: true,
    outbox: {
      waitingLanes: rows.filter(({ waiting }) => waiting).length,
      oldestMs: Math.max(0, ...rows.map(({ oldest_ms }) => oldest_ms ?? 0)),
    },
    leases: {
      own: heldBy((holder) => holder === owner),
      others: heldBy((holder) => holder !== null && holder !== owner),
      free: heldBy((holder) => holder === null),
    },
  }
}
