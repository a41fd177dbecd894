import { connectKafka } from '../../../infra/kafka/command-client.ts'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import type { Config } from '../../../infra/config.ts'
import { copiesWanted } from '../../../infra/kafka/brokers/choose-replication.ts'
import { checkTopics } from './check-topics.ts'
import { findingsOf } from '../../../infra/doctor/finding.ts'
import type { Finding } from '../../../infra/doctor/finding.ts'

const cure = 'Start it (`npm start`), or correct TALLY_KAFKA_BROKERS'
const login = 'Correct TALLY_KAFKA_USERNAME and TALLY_KAFKA_PASSWORD, or the file of TALLY_KAFKA_PASSWORD_FILE'

/** Whether every broker answers, and whether the topics are as the code needs them. */
export async function checkKafka(config: Config): Promise<readonly Finding[]> {
  const { brokers } = config.kafka
  const silent = await Promise.all(
    brokers.map((broker) =>
      findingsOf({ area: 'brokers', cure, login }, () => greet(config, broker)).then(([finding]) =>
        finding ? { ...finding, problem: `Broker ${broker} does not answer: ${finding.problem}` } : [],
      ),
    ),
  )
  const found = silent.flat()
  if (found.length === brokers.length) return found
  const kafka = connectKafka('doctor', config)
  const topics = await findingsOf({ area: 'topics', cure: 'Repair Kafka, then repeat' }, () =>
    withAdmin(kafka, async (admin) => checkTopics(kafka, admin, config, await copiesWanted(admin, config))),
  )
  return [...found, ...topics]
}

const greet = (config: Config, broker: string): Promise<readonly Finding[]> =>
  withAdmin(connectKafka('doctor', { ...config, kafka: { ...config.kafka, brokers: [broker] } }), async () => [])
