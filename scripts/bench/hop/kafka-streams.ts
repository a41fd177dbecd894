import { join } from 'node:path'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { fetchByPom, jarsIn } from '../../../infra/stack/servers/jars.ts'
import { findJdk } from '../../../infra/stack/servers/java.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { schemaIdOf } from '../../../schemas/codec/framing.ts'
import { loadSchemas } from '../../../schemas/load-schemas.ts'
import type { Ground, Repeat } from '../benchmark.ts'
import { fillOrders, prepareTopics } from '../fill-orders.ts'
import { runProgram } from '../run-program.ts'
import type { Program } from '../run-program.ts'
import { assertPublished } from './prepare.ts'

const home = join(import.meta.dirname, '../peers/kafka-streams')

export interface StreamsOrder {
  readonly stateDir: string
  readonly threads: number
  /** Number of events after which it reports its time and ends. Without it, it runs until it is stopped. */
  readonly events?: number
  /** Milliseconds. @default that of Kafka Streams */
  readonly sessionTimeout?: number
}

/** Downloads the jars on the first call. @returns a function that creates the program */
export async function prepareStreams(
  { sandbox: { config, namespace } }: Pick<Ground, 'sandbox'>,
  codec: Codec,
): Promise<(order: StreamsOrder) => Program> {
  const jdk = findJdk(config.java)
  const source = { pom: join(home, 'pom.xml'), what: 'Kafka Streams', megabytes: 100 }
  const jars = jarsIn(await fetchByPom(source, jdk, (line) => process.stderr.write(`${line}\n`)))
  const schemaOf = (name: string) => loadSchemas().find(({ type }) => type === name)?.json
  const sample = codec.encode('PaymentAuthorized', {
    ...{ orderId: 'x', authorizationId: 'x', amountMinor: 1, currency: 'EUR', authorizedAt: Date.now() },
  })
  const common = {
    brokers: config.kafka.brokers.join(),
    application: streamsGroup(namespace),
    input: `${namespace}orders`,
    output: `${namespace}payments`,
    inputSchema: schemaOf('OrderPlaced'),
    outputSchema: schemaOf('PaymentAuthorized'),
    outputSchemaId: schemaIdOf(sample),
  }
  return (order) => ({
    command: jdk.java,
    args: ['-cp', jars.join(':'), join(home, 'Hop.java'), JSON.stringify({ ...common, ...order })],
  })
}

export const streamsGroup = (namespace: string): string => `${namespace}streams`

/** Counts only published events: its stores cannot be read from outside. */
export async function kafkaStreams(ground: Ground): Promise<Repeat> {
  const { sandbox, events } = ground
  const codec = await prepareTopics(sandbox)
  await fillOrders(sandbox, codec, events)
  const program = await prepareStreams(ground, codec)
  const stateDir = await mkdtemp(join(tmpdir(), 'tally-bench-'))
  try {
    const { counts: _, ...repeat } = await runProgram(ground, program({ events, stateDir, threads: 2 }))
    await assertPublished(ground)
    return repeat
  } finally {
    await rm(stateDir, { recursive: true, force: true })
  }
}
