import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fetchByPom, jarsIn } from '../../../infra/stack/jars.ts'
import { findJdk } from '../../../infra/stack/java.ts'
import { schemaIdOf } from '../../../schemas/framing.ts'
import { loadSchemas } from '../../../schemas/load-schemas.ts'
import type { Ground, Repeat } from '../benchmark.ts'
import { fillOrders, prepareTopics } from '../fill-orders.ts'
import { runProgram } from '../run-program.ts'
import { assertPublished } from './prepare.ts'

const home = join(import.meta.dirname, '../peers/kafka-streams')

/** Its stores are its own affair; what it publishes is counted. */
export async function kafkaStreams(ground: Ground): Promise<Repeat> {
  const { sandbox, events } = ground
  const { config, namespace } = sandbox
  const codec = await prepareTopics(sandbox)
  await fillOrders(sandbox, codec, events)
  const jdk = findJdk(config.java)
  const source = { pom: join(home, 'pom.xml'), what: 'Kafka Streams', megabytes: 100 }
  const jars = jarsIn(await fetchByPom(source, jdk, (line) => process.stderr.write(`${line}\n`)))
  const stateDir = await mkdtemp(join(tmpdir(), 'tally-bench-'))
  const schemaOf = (name: string) => loadSchemas().find(({ type }) => type === name)?.json
  const sample = codec.encode('PaymentAuthorized', {
    ...{ orderId: 'x', authorizationId: 'x', amountMinor: 1, currency: 'EUR', authorizedAt: Date.now() },
  })
  const order = {
    brokers: config.kafka.brokers.join(),
    application: `${namespace}streams`,
    input: `${namespace}orders`,
    output: `${namespace}payments`,
    inputSchema: schemaOf('OrderPlaced'),
    outputSchema: schemaOf('PaymentAuthorized'),
    outputSchemaId: schemaIdOf(sample),
    ...{ events, stateDir },
  }
  try {
    const args = ['-cp', jars.join(':'), join(home, 'Hop.java'), JSON.stringify(order)]
    const { counts: _, ...repeat } = await runProgram(ground, { command: jdk.java, args })
    await assertPublished(ground)
    return repeat
  } finally {
    await rm(stateDir, { recursive: true, force: true })
  }
}
