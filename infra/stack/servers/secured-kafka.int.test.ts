import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { loadConfig } from '../../config.ts'
import { explainFailure } from '../../explain-failure.ts'
import { withAdmin } from '../../kafka/admin.ts'
import { createKafka } from '../../kafka/client.ts'
import { existingTopics } from '../../kafka/reading/existing-topics.ts'
import { RecordSender } from '../../kafka/record-sender.ts'
import { setPasswords } from '../../kafka/scram-users.ts'
import { readTopicIds } from '../../kafka/topic-ids.ts'
import { silentLogger } from '../../logger.ts'
import { issueCertificate } from '../../security/certificates.ts'
import { startBrokers } from '../../testing/brokers/start-brokers.ts'
import type { TestBrokers } from '../../testing/brokers/start-brokers.ts'

const portBase = 24_600
const certificatePort = portBase + 60
const secret = 'correct-horse'
const listeners = `CLIENT://127.0.0.1:${portBase + 92},CERTIFICATE://127.0.0.1:${certificatePort}`
const oauth = 'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule'
const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule'

/** A token that nobody signed, which Kafka accepts from `unsecured` logins. */
function unsignedToken(subject: string): string {
  const now = Math.floor(Date.now() / 1_000)
  const parts = [{ alg: 'none' }, { sub: subject, iat: now, exp: now + 3_600 }]
  return `${parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`
}

const connect = (env: NodeJS.ProcessEnv, retries = 2) =>
  createKafka({
    servers: loadConfig(env).kafka,
    clientId: 'secured',
    log: silentLogger,
    retry: { retries, initialRetryTime: 20 },
  })

/** Creates a topic, writes to it and reads its id: admin, producer and the hand-made request. */
async function use(env: NodeJS.ProcessEnv, topic: string): Promise<void> {
  const kafka = connect(env)
  await withAdmin(kafka, (admin) => admin.createTopics({ topics: [{ topic }], waitForLeaders: true }))
  const sender = new RecordSender(kafka)
  await sender.send([{ topic, partition: 0, key: null, value: Buffer.from('hello'), headers: {} }])
  await sender.stop()
  expect(await readTopicIds(kafka, [topic])).toHaveProperty('size', 1)
  expect(await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic))).toMatchObject([{ high: '1' }])
}

async function failureOf(env: NodeJS.ProcessEnv): Promise<string> {
  try {
    await withAdmin(connect(env, 0), (admin) => admin.describeCluster())
  } catch (error) {
    return explainFailure(error, () => loadConfig(env)).sentence
  }
  throw new Error('it did not fail')
}

describe('a broker with logins', () => {
  let brokers: TestBrokers
  let base: NodeJS.ProcessEnv

  beforeAll(async () => {
    brokers = await startBrokers(portBase, 1, {
      secured: true,
      settings: {
        listeners: `${listeners},CONTROLLER://127.0.0.1:${portBase + 93}`,
        'advertised.listeners': listeners,
        'listener.security.protocol.map': 'CLIENT:SASL_SSL,CONTROLLER:SSL,CERTIFICATE:SSL',
        'listener.name.certificate.ssl.client.auth': 'required',
        'super.users': 'User:admin;User:kafka;User:CN=tally-server;User:CN=payment',
        'sasl.enabled.mechanisms': 'SCRAM-SHA-512,SCRAM-SHA-256,PLAIN,OAUTHBEARER',
        'listener.name.client.scram-sha-256.sasl.jaas.config':
          'org.apache.kafka.common.security.scram.ScramLoginModule required;',
        'listener.name.client.plain.sasl.jaas.config': `${plain} required user_admin="${secret}";`,
        'listener.name.client.oauthbearer.sasl.jaas.config': `${oauth} required unsecuredLoginStringClaim_sub="admin";`,
      },
    })
    base = {
      TALLY_KAFKA_BROKERS: brokers.addresses.join(),
      TALLY_KAFKA_SECURITY: 'SASL_SSL',
      TALLY_CA_FILE: join(brokers.dataDir, 'security', 'authority.crt'),
      TALLY_KAFKA_USER: 'admin',
      TALLY_KAFKA_PASSWORD: secret,
    }
  })
  afterAll(async () => brokers?.[Symbol.asyncDispose]())

  test('the stack logs in with the password of its data folder, and sets those of others', async () => {
    const kafka = createKafka({ servers: brokers.config.kafka, clientId: 'admin', log: silentLogger })
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)
      await setPasswords(kafka, [{ name: 'admin', password: secret }], mechanism)
  })

  test.each(['SCRAM-SHA-512', 'SCRAM-SHA-256', 'PLAIN'])('%s', async (mechanism) => {
    await use({ ...base, TALLY_KAFKA_SASL_MECHANISM: mechanism }, `by-${mechanism}`)
  })

  test('OAUTHBEARER with a token in a file', async () => {
    const file = join(brokers.dataDir, 'token')
    writeFileSync(file, `${unsignedToken('admin')}\n`)
    const { TALLY_KAFKA_USER: _, TALLY_KAFKA_PASSWORD: __, ...others } = base
    await use({ ...others, TALLY_KAFKA_SASL_MECHANISM: 'OAUTHBEARER', TALLY_KAFKA_TOKEN_FILE: file }, 'by-token')
  })

  test('a wrong password and a missing right are told in a sentence without the password', async () => {
    const wrong = await failureOf({ ...base, TALLY_KAFKA_PASSWORD: 'wrong-horse' })
    expect(wrong).toBe('Kafka refuses the login of admin: correct TALLY_KAFKA_USER and TALLY_KAFKA_PASSWORD')
    await setPasswords(connect(base), [{ name: 'nobody', password: secret }])
    const limited = connect({ ...base, TALLY_KAFKA_USER: 'nobody' })
    await expect(withAdmin(limited, (admin) => admin.createTopics({ topics: [{ topic: 'mine' }] }))).rejects.toThrow()
    expect(await withAdmin(limited, (admin) => admin.listTopics())).toEqual([])
    await withAdmin(connect(base), (admin) => admin.createTopics({ topics: [{ topic: 'hidden' }] }))
    const hidden = withAdmin(limited, (admin) => existingTopics(limited, admin, ['hidden']))
    const { sentence } = await hidden.then(
      (found) => ({ sentence: `it found ${[...found].join()}` }),
      (error: unknown) => explainFailure(error, () => loadConfig({ ...base, TALLY_KAFKA_USER: 'nobody' })),
    )
    expect(sentence).toMatch(/^Kafka denies nobody access to a topic: log in as a user who may do everything/)
    const all = connect(base)
    const found = await withAdmin(all, (admin) => existingTopics(all, admin, ['hidden', 'missing']))
    expect([found.has('hidden'), found.has('missing')]).toEqual([true, false])
  })

  test('a client without TLS gets no answer', async () => {
    expect(await failureOf({ TALLY_KAFKA_BROKERS: brokers.addresses.join() })).toMatch(/^Kafka does not answer at /)
  })

  test('a certificate of the authority is a login', async () => {
    const folder = join(brokers.dataDir, 'security')
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    const env: NodeJS.ProcessEnv = {
      TALLY_KAFKA_BROKERS: `127.0.0.1:${certificatePort}`,
      TALLY_KAFKA_SECURITY: 'SSL',
      TALLY_CA_FILE: base['TALLY_CA_FILE'],
    }
    const authority = { certificate: read('authority.crt'), key: read('authority.key') }
    const issued = await issueCertificate(authority, { name: 'payment', hosts: [] })
    const [TALLY_KAFKA_CERTIFICATE_FILE, TALLY_KAFKA_KEY_FILE] = [join(folder, 'p.crt'), join(folder, 'p.key')]
    writeFileSync(TALLY_KAFKA_CERTIFICATE_FILE, issued.certificate)
    writeFileSync(TALLY_KAFKA_KEY_FILE, issued.key)
    await use({ ...env, TALLY_KAFKA_CERTIFICATE_FILE, TALLY_KAFKA_KEY_FILE }, 'by-certificate')
    expect(await failureOf(env)).toContain('does not accept the certificate of this process, or asks for one')
  })
})
