import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import kafkajs from 'kafkajs'
import { expect, test } from '@jest/globals'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { createSandbox } from '../../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import { subjectOf } from '../../../schemas/topics.ts'
import { askRegistry } from '../../../schemas/registry/registry-client.ts'
import { deployPipeline } from '../../../scripts/bench/api/deploy-pipeline.ts'
import { consumerMigrations, schemaName } from '../../runtime/load-consumer.ts'
import { checkAtStart } from '../../../infra/doctor/check-at-start.ts'
import { examine } from './examine.ts'

/** An HTTP server that answers everything with one status. */
async function answering(status: number): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((_, response) => response.writeHead(status).end()).listen(0, '127.0.0.1')
  await new Promise((listening) => server.once('listening', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((closed) => server.close(() => closed())),
  }
}

async function openPipeline(outside: string): Promise<Sandbox> {
  const sandbox = createSandbox({ TALLY_PARTITIONS: '2', TALLY_GATEWAY_URL: outside, TALLY_CARRIER_URL: outside })
  await deployPipeline(sandbox)
  return sandbox
}

const ofConsumer = (folder: string, { namespace }: Sandbox) => ({
  schema: schemaName(namespace, folder),
  folders: consumerMigrations(folder),
})

test('a pipeline as deployed has nothing wrong with it, and a service starts', async () => {
  await using outside = await answering(404)
  await using sandbox = await openPipeline(outside.url)
  expect(await examine({ env: sandbox.env })).toEqual([])
  await checkAtStart(ofConsumer('payment', sandbox), sandbox.config, sandbox.log)
})

test('faults planted at once are all found, each with its cure, and no secret is told', async () => {
  await using outside = await answering(404)
  await using refusing = await answering(401)
  await using sandbox = await openPipeline(outside.url)
  const { config, namespace, pool, kafka } = sandbox
  await pool.query(`delete from ${schemaName(namespace, 'payment')}.migration_runtime where name like '009%'`)
  await askRegistry(config.registry.url, `/config/${encodeURIComponent(subjectOf(namespace, 'OrderPlaced'))}`, {
    put: { compatibility: 'NONE' },
  })
  await withAdmin(kafka, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: `${namespace}orders`,
          configEntries: [
            { name: 'retention.ms', value: '-1' },
            { name: 'message.timestamp.type', value: 'LogAppendTime' },
          ],
        },
      ],
    }),
  )
  const gateway = new URL(refusing.url)
  gateway.username = 'tally'
  gateway.password = 'planted-secret'
  const findings = await examine({
    env: {
      ...sandbox.env,
      TALLY_PARTITONS: '3',
      TALLY_RETRY_LIMIT: 'often',
      TALLY_KAFKA_BROKERS: `${config.kafka.brokers.join()},127.0.0.1:1`,
      TALLY_GATEWAY_URL: gateway.href,
      TALLY_CARRIER_URL: 'http://127.0.0.1:1',
    },
    replicas: 50,
    now: () => Date.now() + 3_600_000,
  })
  const told = findings.map(({ area, problem, cure }) => `${area}: ${problem}. ${cure}`)
  const expected = [
    /^settings: TALLY_PARTITONS is not a setting.*TALLY_PARTITIONS/,
    /^settings: TALLY_RETRY_LIMIT: .*Correct TALLY_RETRY_LIMIT/,
    /^connections: The replicas may open [\d,]+ connections.*Raise max_connections/,
    /^migrations: Schema \S+payment lacks migration 009\S*\. Deploy/,
    /^clock: The database's clock is 3,6\d\d s behind this host's\. Synchronize/,
    /^brokers: Broker 127\.0\.0\.1:1 does not answer.*TALLY_KAFKA_BROKERS/,
    /^topics: \S+orders: it keeps events longer than the inbox.*retention\.ms/,
    /^schemas: \S+OrderPlaced has the compatibility level NONE, not FULL_TRANSITIVE.*deploy/,
    /^gateway: The payment gateway refuses access \(401\)/,
    /^carrier: The carrier does not answer at http:\/\/127\.0\.0\.1:1.*TALLY_CARRIER_URL/,
  ]
  for (const pattern of expected) expect(told).toContainEqual(expect.stringMatching(pattern))
  expect(told.filter((line) => !expected.some((pattern) => pattern.test(line)))).toEqual([])
  expect(told.join()).not.toContain('planted-secret')
  await expect(checkAtStart(ofConsumer('payment', sandbox), config, sandbox.log)).rejects.toThrow(
    /payment lacks migration 009.*npm run deploy/,
  )
  await checkAtStart(ofConsumer('inventory', sandbox), config, sandbox.log)
})

test('servers that do not answer, and a wrong password, are one sentence each', async () => {
  await using sandbox = createSandbox({})
  const database = new URL(sandbox.config.postgres.url)
  database.password = 'wrong-secret'
  const nowhere = '127.0.0.1:1'
  const findings = await examine({
    env: {
      ...sandbox.env,
      TALLY_DATABASE_URL: database.href,
      TALLY_KAFKA_BROKERS: nowhere,
      TALLY_REGISTRY_URL: `http://${nowhere}`,
      TALLY_GATEWAY_URL: `http://${nowhere}`,
      TALLY_CARRIER_URL: `http://${nowhere}`,
      TALLY_RABBITMQ_URL: `amqp://tally:wrong-secret@${nowhere}`,
      ...{ TALLY_SQS_ENDPOINT: `http://${nowhere}`, TALLY_SQS_REGION: 'eu-west-1' },
      ...{ TALLY_SQS_ACCESS_KEY_ID: 'any', TALLY_SQS_SECRET_ACCESS_KEY: 'wrong-secret' },
    },
  })
  const areas = ['database', 'brokers', 'registry', 'gateway', 'carrier', 'rabbitmq', 'sqs']
  expect(findings.map(({ area }) => area)).toEqual(areas)
  expect(findings[0]?.problem).toMatch(/refuses the password|password authentication failed/)
  expect(JSON.stringify(findings)).not.toContain('wrong-secret')
})
