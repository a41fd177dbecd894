import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import kafkajs from 'kafkajs'
import pg from 'pg'
import { loadConfig } from './config.ts'
import { TallyError } from './errors.ts'
import { explainFailure } from './explain-failure.ts'

/** A port where nothing listens: one that was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const failureOf = async (work: () => Promise<unknown>): Promise<unknown> => {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

describe('a server that does not answer is named, with what to do', () => {
  test('PostgreSQL, also deep under another error', async () => {
    const port = await closedPort()
    const url = `postgres://tally@127.0.0.1:${port}/tally`
    const cause = await failureOf(() => new pg.Client({ connectionString: url }).connect())
    const error = new TallyError('UNREACHABLE', 'no', { cause: new AggregateError([new Error('x', { cause })]) })
    expect(explainFailure(error, () => loadConfig({ TALLY_DATABASE_URL: url }))).toEqual({
      sentence: `PostgreSQL does not answer at 127.0.0.1:${port}: start the stack with \`npm start\`, or set TALLY_DATABASE_URL`,
      exitCode: 1,
    })
  })

  test('Kafka', async () => {
    const broker = `127.0.0.1:${await closedPort()}`
    const { Kafka, logLevel } = kafkajs
    const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 1 } }).admin()
    const error = await failureOf(() => admin.connect())
    const { sentence } = explainFailure(error, () => loadConfig({ TALLY_KAFKA_BROKERS: broker }))
    expect(sentence).toContain(`Kafka does not answer at ${broker}`)
  })

  test.each([
    ['TALLY_REGISTRY_URL', 'The schema registry does not answer'],
    ['TALLY_API_PORT', 'The orders API does not answer'],
  ])('%s', async (variable, sentence) => {
    const port = await closedPort()
    const url = `http://127.0.0.1:${port}`
    const error = await failureOf(() => fetch(url))
    const config = loadConfig({ [variable]: variable.endsWith('PORT') ? String(port) : url })
    expect(explainFailure(error, () => config).sentence).toContain(sentence)
  })
})

test('a failed connection to somewhere else is not taken for one of our servers', async () => {
  const port = await closedPort()
  const error = await failureOf(() => fetch(`http://127.0.0.1:${port}`))
  expect(explainFailure(error, () => loadConfig({})).sentence).toContain('fetch failed')
})

test.each([
  ['42P01', 'lacks a table'],
  ['28P01', 'refuses the password'],
  ['42501', 'denies this user what is needed'],
])('PostgreSQL answers %s', (code, text) => {
  const error = Object.assign(new Error('it says something technical'), { code })
  expect(explainFailure(error, () => loadConfig({})).sentence).toContain(text)
})

test.each([
  ['TOPIC_AUTHORIZATION_FAILED', 'a topic'],
  ['GROUP_AUTHORIZATION_FAILED', 'a group'],
  ['CLUSTER_AUTHORIZATION_FAILED', 'the cluster'],
])('Kafka answers %s, also below another error', (type, what) => {
  const env = {
    ...{ TALLY_KAFKA_BROKERS: 'kafka:9092', TALLY_KAFKA_SECURITY: 'SASL_SSL' },
    ...{ TALLY_KAFKA_USER: 'anna', TALLY_KAFKA_PASSWORD: 'x' },
  }
  const cause = Object.assign(new Error('Not authorized'), { name: 'KafkaJSProtocolError', type })
  const { sentence } = explainFailure(new Error('no records', { cause }), () => loadConfig(env))
  expect(sentence).toMatch(
    `Kafka denies anna access to ${what}: log in as a user who may do everything (TALLY_KAFKA_USER;`,
  )
  expect(explainFailure(cause, () => loadConfig({})).sentence).toMatch('denies the user of this process access')
})

test.each(['CONFIG_INVALID', 'USAGE'] as const)('%s is wrong usage', (code) => {
  const error = new TallyError(code, 'Configuration: TALLY_API_PORT: too big')
  expect(explainFailure(error)).toEqual({ sentence: error.message, exitCode: 2 })
})

test('anything else is said as it is', () => {
  expect(explainFailure(new Error('outer', { cause: new Error('inner') }), () => loadConfig({}))).toEqual({
    sentence: 'outer: inner',
    exitCode: 1,
  })
})
