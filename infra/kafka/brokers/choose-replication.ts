import type { Admin } from 'kafkajs'
import type { Config } from '../../config.ts'
import { TallyError } from '../../errors.ts'
import { connectKafka } from '../command-client.ts'
import { countRegistered } from './registered-brokers.ts'

/** Acknowledged records outlive the loss of a broker, and one broker may be down. */
export const fewestInSync = (copies: number): number => Math.max(1, copies - 1)

/** TALLY_REPLICATION, or one on each broker of the cluster, at most three. Brokers that are down count. */
export async function copiesWanted(admin: Admin, config: Config): Promise<number> {
  return config.kafka.replication ?? Math.min(3, (await countBrokers(admin, config)).known)
}

async function countBrokers(admin: Admin, config: Config): Promise<{ up: number; known: number }> {
  const { brokers } = await admin.describeCluster()
  const registered = await countRegistered(connectKafka('brokers', config))
  return { up: brokers.length, known: registered ?? Math.max(brokers.length, config.kafka.brokers.length) }
}

/**
 * The number of replicas of new topics: TALLY_REPLICATION, or one on each broker of the cluster, at most three. Brokers
 * that are down count, because a topic created without them would have too few replicas permanently.
 * @param allowFewer accepts as many replicas as there are brokers up
 * @throws TallyError PRECONDITION_FAILED if too few are up
 */
export async function chooseReplication(
  admin: Admin,
  config: Config,
  { allowFewer = false }: { allowFewer?: boolean } = {},
): Promise<number> {
  const { up, known } = await countBrokers(admin, config)
  const wanted = config.kafka.replication ?? Math.min(3, known)
  if (up >= wanted) return wanted
  if (allowFewer) return up
  throw new TallyError(
    'PRECONDITION_FAILED',
    `Only ${up} of Kafka's ${Math.max(known, up)} brokers ${up === 1 ? 'is' : 'are'} up, and topics need ${wanted} copies: start the others, set TALLY_REPLICATION, or use \`npm run deploy -- topics --allow-fewer-replicas\``,
  )
}
