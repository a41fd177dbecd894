import { expect, test } from '@jest/globals'
import { checkSettings } from './check-settings.ts'

const problems = (env: NodeJS.ProcessEnv) => checkSettings(env).findings.map(({ problem }) => problem)

test('an environment without faults has none', () => {
  const env = {
    PATH: '/bin',
    TALLY_KAFKA_BROKERS: 'one:9092, two.example:9093,[::1]:9094',
    TALLY_REGISTRY_URL: 'https://registry.example/apis/ccompat/v7',
    TALLY_DATABASE_URL: 'postgresql://tally:x@db/tally',
  }
  expect(problems(env)).toEqual([])
  expect(checkSettings(env).usable).toEqual(env)
})

test('a misspelt name is found, with the one that was meant', () => {
  const [finding] = checkSettings({ TALLY_PARTITONS: '12' }).findings
  expect(finding).toEqual({
    area: 'settings',
    problem: 'TALLY_PARTITONS is not a setting of Tally: it has no effect',
    cure: 'Did you mean TALLY_PARTITIONS',
  })
})

test.each([
  ['TALLY_PARTITIONS', 'many', /expected number/],
  ['TALLY_KAFKA_BROKERS', 'broker', /"broker" is not host:port/],
  ['TALLY_KAFKA_BROKERS', 'kafka://broker:9092', /is not host:port/],
  ['TALLY_KAFKA_BROKERS', 'a:1,b:70000', /"b:70000" is not host:port/],
  ['TALLY_REGISTRY_URL', 'ftp://registry', /ftp:\/\/ is not http/],
  ['TALLY_GATEWAY_URL', 'gateway', /TALLY_GATEWAY_URL/],
  ['TALLY_DATABASE_URL', 'mysql://db/tally', /TALLY_DATABASE_URL/],
  ['TALLY_DATABASE_URL', 'postgres+ssl://db/tally', /postgres\+ssl:\/\/ is not postgres/],
])('%s=%s is found, and left out of what is checked further', (name, value, expected) => {
  const { findings, usable } = checkSettings({ [name]: value, TALLY_LOG_LEVEL: 'info' })
  expect(findings).toHaveLength(1)
  expect(findings[0]?.problem).toMatch(expected)
  expect(findings[0]?.cure).toContain(`Correct ${name}`)
  expect(usable).toEqual({ TALLY_LOG_LEVEL: 'info' })
})

test('all faults are found at once', () => {
  expect(problems({ TALLY_X: '1', TALLY_PARTITIONS: '0', TALLY_KAFKA_BROKERS: 'x' })).toHaveLength(3)
})

test('a variable that needs a wrong one is left out with it, and is no fault of its own', () => {
  const { findings, usable } = checkSettings({
    TALLY_DATABASE_URL: 'postgres+ssl://db/tally',
    TALLY_DATABASE_PASSWORD: 'secret',
  })
  expect(findings.map(({ problem }) => problem)).toEqual([expect.stringContaining('TALLY_DATABASE_URL')])
  expect(usable).toEqual({})
  expect(JSON.stringify(findings)).not.toContain('secret')
})

test('settings that contradict each other, and secrets in files, are checked', () => {
  expect(problems({ TALLY_KAFKA_SECURITY: 'SASL_SSL' })).toEqual([expect.stringContaining('TALLY_KAFKA_USER')])
  expect(problems({ TALLY_KAFKA_PASSWORD_FILE: '/nowhere/secret' })).toContainEqual(
    expect.stringContaining('TALLY_KAFKA_PASSWORD_FILE'),
  )
})

test('settings of queues and of the API that contradict each other are told in the same run, and the rest is usable', () => {
  const { findings, usable, wrongServers } = checkSettings({
    ...{ TALLY_FORWARD_RABBITMQ: 'queue:events', TALLY_SQS_ACCESS_KEY_ID: 'any', TALLY_SQS_REGION: 'eu-west-1' },
    ...{ TALLY_API_HOST: '0.0.0.0', TALLY_PARTITIONS: '3' },
  })
  expect(new Set(findings.map(({ problem }) => problem.split(':')[0]))).toEqual(
    new Set(['TALLY_API_HOST', 'TALLY_FORWARD_RABBITMQ', 'TALLY_SQS_SECRET_ACCESS_KEY']),
  )
  expect([usable, [...wrongServers]]).toEqual([{ TALLY_PARTITIONS: '3' }, ['TALLY_QUEUE_']])
})
