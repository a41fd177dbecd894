import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { makeSecretFiles } from '../../../consumers/operations/access/secret-files.ts'
import { consumersOf } from '../../../consumers/runtime/load-consumer.ts'
import { loadConfig, settingsGiven } from '../../../infra/config.ts'
import { secretSettings, settings } from '../../../infra/settings.ts'
import { readDeclared } from '../deployed-services.ts'
import type { Declared } from '../deployed-services.ts'
import { secretNames } from './secrets.ts'

interface Service {
  image: string
  command?: string[]
  environment?: Record<string, string>
  secrets?: string[]
  networks?: string[]
  ports?: { target: number; published?: string; host_ip?: string }[]
  volumes?: string[]
  read_only?: boolean
  container_name?: string
}

const folder = resolve(import.meta.dirname, '../../../infra/docker')
const compose = parse(readFileSync(join(folder, 'compose.yml'), 'utf8')) as {
  services: Record<string, Service>
  secrets: Record<string, { file: string }>
}
const services = Object.entries(compose.services)
const ours = services.filter(([, { image }]) => image.includes('TALLY_IMAGE'))
const variables = new Set([...Object.keys(settings.shape), ...secretSettings.map((name) => `${name}_FILE`)])

describe('the composition', () => {
  let declared: Declared
  let secrets: string
  beforeAll(async () => {
    declared = await readDeclared()
    secrets = mkdtempSync(join(tmpdir(), 'tally-secrets-'))
    await makeSecretFiles(secrets, secretNames(declared))
  })
  afterAll(() => rmSync(secrets, { recursive: true, force: true }))

  test('has nothing that the Compose Specification does not know', () => {
    const schema = JSON.parse(readFileSync(join(folder, 'testing/compose-spec.json'), 'utf8')) as object
    const validate = new Ajv({ strict: false, validateFormats: false }).compile({ ...schema, $schema: undefined })
    const refused = (change: object) => !validate({ ...compose, ...change })
    validate(compose)
    expect(validate.errors).toBeNull()
    expect(refused({ servces: {} })).toBe(true)
    expect(refused({ services: { payment: { image: 'tally', readonly: true } } })).toBe(true)
  })

  test('runs every service that the code has, and its variables are settings', () => {
    const names = declared.services.map(({ name }) => name)
    expect(ours.map(([name]) => name)).toEqual(expect.arrayContaining(names))
    const given = ours.flatMap(([name, { environment = {} }]) => Object.keys(environment).map((key) => [name, key]))
    expect(given.filter(([, key = '']) => !variables.has(key))).toEqual([])
    for (const { name, command } of declared.services) expect(compose.services[name]?.command).toEqual(command)
  })

  /** The environment of a container, with the files and defaults that it has there. */
  const onHost = (environment: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [
        key,
        value.replaceAll('/run/secrets', secrets).replace(/\$\{\w+:-(.*)\}/, '$1'),
      ]),
    )

  test('gives each service a configuration that is valid, by its own secrets and no others', () => {
    for (const { name, role } of declared.services) {
      const { environment = {}, secrets: own = [] } = compose.services[name] ?? {}
      const here = onHost(environment)
      const config = loadConfig(here)
      expect(new URL(config.postgres.url).username).toBe(role)
      expect(config.kafka.tls?.cert).toBe(readFileSync(join(secrets, `${name}.crt`), 'utf8'))
      expect(config.partitions).toBe(declared.config.partitions)
      expect(config.gateway.embedded || config.registry.embedded).toBe(false)
      expect(Object.keys(settingsGiven(here)).length).toBeGreaterThan(5)
      expect(own.filter((file) => file !== 'authority.crt' && file !== 'token.pub')).toEqual([
        `${name}.crt`,
        `${name}.key`,
        `${name}.password`,
      ])
      const named = Object.values(environment).flatMap((value) => value.match(/(?<=\/run\/secrets\/)[\w.-]+/g) ?? [])
      expect(named.filter((file) => !own.includes(file))).toEqual([])
    }
  })

  test('has a forwarder for each queue server, beside a step that knows its setting, if its profile is asked for', () => {
    expect(declared.forwarders.map(({ name }) => name)).toEqual(['forward-rabbitmq', 'forward-sqs'])
    for (const { name, command, role } of declared.forwarders) {
      const own = compose.services[name]
      const step = compose.services[`deploy-${name}`]
      expect(own).toMatchObject({ command, profiles: [name], depends_on: { [`deploy-${name}`]: expect.anything() } })
      expect(step).toMatchObject({ profiles: [name], command: compose.services['deploy']?.command })
      expect(step?.secrets).toEqual(expect.arrayContaining([`${name}.password`, 'payment.password']))
      for (const { environment = {}, secrets: given = [] } of [own, step].filter((each) => each !== undefined)) {
        const config = loadConfig(onHost(environment))
        expect(consumersOf(config).filter((each) => each.startsWith('forward-'))).toEqual([name])
        const named = Object.values(environment).flatMap((value) => value.match(/(?<=\/run\/secrets\/)[\w.-]+/g) ?? [])
        expect(named.filter((file) => !given.includes(file))).toEqual([])
      }
      expect(new URL(loadConfig(onHost(own?.environment ?? {})).postgres.url).username).toBe(role)
    }
  })

  test('every secret is a file that is made, and the keys of the authority and for tokens stay outside', () => {
    const made = new Set(readdirSync(secrets))
    const files = Object.values(compose.secrets).map(({ file }) => file.replace('./secrets/', ''))
    expect(files.filter((file) => !made.has(file))).toEqual([])
    const used = services.flatMap(([, { secrets: own = [] }]) => own)
    expect(new Set(used)).toEqual(new Set(files))
    expect(files.filter((file) => /^(authority|token)\.key$/.test(file))).toEqual([])
  })

  test('can have several replicas of a service: no names and no ports of the host are fixed', () => {
    expect(services.filter(([, { container_name: name }]) => name !== undefined)).toEqual([])
    const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port] as const))
    expect(published.map(([name]) => name).sort()).toEqual(['grafana', 'orders-api'])
    for (const [, port] of published) expect(port).toEqual({ target: expect.any(Number), host_ip: '127.0.0.1' })
  })

  test('servers are on no network that leads out, and containers of ours write nowhere but in volumes', () => {
    for (const [name, { networks }] of services)
      if (!ours.some(([own]) => own === name) && name !== 'grafana')
        expect([name, networks]).toEqual([name, ['inside']])
    expect(ours.filter(([, { read_only: only }]) => !only).map(([name]) => name)).toEqual([])
  })
})
