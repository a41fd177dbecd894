import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { schemaName } from '../../consumers/runtime/load-consumer.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { quoteIdentifier } from '../../infra/postgres/identifiers.ts'
import { stealLane } from '../../producers/outbox/lane-table.ts'
import { signalTo } from '../../infra/stack/supervisor/process-identity.ts'
import type { Random } from '../../producers/sample-data/seeded.ts'
import type { BrokenStack } from './broken-stack.ts'
import type { BrokerLoss, Mishap } from './fault-plan.ts'

export interface Scene {
  stack: BrokenStack
  /** A direct connection to the database, as its owner. */
  pool: Pool
  /** Names of the consumers. */
  groups: readonly string[]
  partitions: number
  kafka: Kafka
  random: Random
}

/**
 * Injects a fault and ends it.
 * @returns false if it could not be injected, for example because the process is not running
 */
export async function inject(mishap: Exclude<Mishap, BrokerLoss>, scene: Scene): Promise<boolean> {
  const { stack, pool, random } = scene
  switch (mishap.kind) {
    case 'kill': {
      const target = stack.identityOf(mishap.process)
      if (target) signalTo(target, 'SIGKILL')
      return target !== undefined
    }
    case 'freeze': {
      const target = stack.identityOf(mishap.process)
      if (!target) return false
      signalTo(target, 'SIGSTOP')
      try {
        await delay(mishap.forMs)
      } finally {
        signalTo(target, 'SIGCONT')
      }
      return true
    }
    case 'network': {
      const proxy = stack.proxies.get(mishap.network)
      proxy?.inject(mishap.fault, mishap.share, () => random.next())
      await delay(mishap.forMs)
      proxy?.heal()
      return true
    }
    case 'terminate':
      return terminateSessions(pool, mishap.forMs)
    case 'steal':
      return stealLanes(scene, mishap.lanes)
    case 'full-disk':
      return stack.disk?.fill(mishap.forMs) ?? false
  }
}

/** Terminates busy sessions of the services, those in a commit first. */
async function terminateSessions(pool: Pool, forMs: number): Promise<boolean> {
  let ended = 0
  for (const until = performance.now() + forMs; performance.now() < until; await delay(20)) {
    const { rows } = await pool.query<{ ended: boolean }>(
      `select pg_terminate_backend(pid) as ended from (
         select pid from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle' and application_name <> 'chaos'
         order by query ilike 'commit%' desc, random() limit 2) as busy`,
    )
    ended += rows.length
  }
  return ended > 0
}

/** Raises epochs as a new owner would, while the old owner continues. */
async function stealLanes({ pool, groups, partitions, random }: Scene, count: number): Promise<boolean> {
  for (let n = 0; n < count; n++) {
    const schema = schemaName('', random.pick(groups))
    const lane = random.int(0, partitions - 1)
    await stealLane(pool, quoteIdentifier(schema), lane, 'chaos')
  }
  return true
}
