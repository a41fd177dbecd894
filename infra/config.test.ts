import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { environmentWithoutServers, loadConfig } from './config.ts'
import { describeError } from './errors.ts'
import { readAddress } from './server-address.ts'
import { withoutSecrets } from './without-secrets.ts'

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'tally-config-'))))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

const problemsOf = (env: NodeJS.ProcessEnv): string => {
  try {
    loadConfig(env)
  } catch (error) {
    return describeError(error)
  }
  return 'none'
}

describe('secrets in files', () => {
  test('a file holds the whole value, without the line end', () => {
    const { postgres, registry } = loadConfig({
      TALLY_DATABASE_URL_FILE: file('url', 'postgres://tally:first-secret@db/tally\n'),
      TALLY_REGISTRY_URL: 'https://registry/apis',
      TALLY_REGISTRY_TOKEN_FILE: file('token', 'abc.def/ghi=\n'),
    })
    expect(postgres.url).toBe('postgres://tally:first-secret@db/tally')
    expect(readAddress(registry.url)).toEqual({
      url: 'https://registry/apis',
      user: undefined,
      headers: { authorization: 'Bearer abc.def/ghi=' },
    })
  })

  test('both, an empty file, and none are told together, without the content', () => {
    const told = problemsOf({
      TALLY_DATABASE_PASSWORD: 'first-secret',
      TALLY_DATABASE_PASSWORD_FILE: file('password', 'other-secret'),
      TALLY_KAFKA_PASSWORD_FILE: file('empty', ' \n'),
      TALLY_GATEWAY_TOKEN_FILE: join(folder, 'absent'),
    })
    expect(told).toMatch(/TALLY_DATABASE_PASSWORD: is set, and so is TALLY_DATABASE_PASSWORD_FILE/)
    expect(told).toMatch(/TALLY_KAFKA_PASSWORD_FILE: .*empty is empty/)
    expect(told).toMatch(/TALLY_GATEWAY_TOKEN_FILE: .*ENOENT/)
    expect(told).not.toContain('-secret')
  })
})

test('a login without TLS is refused', () => {
  const told = problemsOf({ TALLY_KAFKA_USER: 'u', TALLY_KAFKA_PASSWORD: 'p' })
  expect(told).toContain('TALLY_KAFKA_USER, TALLY_KAFKA_PASSWORD needs SASL_SSL')
})

describe('settings that contradict each other are refused', () => {
  test.each([
    [{ TALLY_KAFKA_SECURITY: 'SASL_SSL' }, 'SASL_SSL needs TALLY_KAFKA_USER and TALLY_KAFKA_PASSWORD'],
    [
      { TALLY_KAFKA_SECURITY: 'SASL_SSL', TALLY_KAFKA_SASL_MECHANISM: 'OAUTHBEARER' },
      'OAUTHBEARER needs TALLY_KAFKA_TOKEN_FILE',
    ],
    [{ TALLY_KAFKA_CERTIFICATE_FILE: 'c' }, 'certificate and key are set together'],
    [{ TALLY_KAFKA_CERTIFICATE_FILE: 'c', TALLY_KAFKA_KEY_FILE: 'k' }, 'a certificate needs SSL or SASL_SSL'],
    [{ TALLY_DATABASE_PASSWORD: 'p' }, 'needs TALLY_DATABASE_URL'],
    [{ TALLY_REGISTRY_TOKEN: 't' }, 'needs TALLY_REGISTRY_URL'],
    [{ TALLY_GATEWAY_TOKEN: 't', TALLY_GATEWAY_URL: 'https://u:p@h' }, 'keep one of them'],
    [{ TALLY_DATABASE_URL: 'postgres://h/d?sslmode=no-verify' }, 'any other mode accepts every server'],
    [{ TALLY_DATABASE_URL: 'postgres://h/d?uselibpqcompat=true&sslmode=require' }, 'accepts every server'],
    [{ TALLY_KAFKA_TOKEN_URL: 'http://h/token' }, 'TALLY_KAFKA_TOKEN_URL: Invalid URL'],
    [{ TALLY_CA_FILE: '/dev/null' }, 'it holds no certificate in PEM format'],
  ])('%p', (env, problem) => {
    expect(problemsOf(env)).toContain(problem)
  })
})

test('the secrets of a configuration are in no text from then on, also encoded', () => {
  loadConfig({ TALLY_DATABASE_URL: 'postgres://tally:p%40ss-of-db@h/d', TALLY_CARRIER_URL: 'https://c' })
  loadConfig({ TALLY_CARRIER_URL: 'https://c', TALLY_CARRIER_TOKEN: 'token-of-carrier' })
  const text = withoutSecrets('failed: p@ss-of-db, p%40ss-of-db, header "Bearer token-of-carrier"')
  expect(text).toBe('failed: ***, ***, header "Bearer ***"')
})

test('a stack of its own gets neither the servers of this process nor its logins there', () => {
  const names = ['KAFKA_BROKERS', 'KAFKA_PASSWORD_FILE', 'DATABASE_PASSWORD', 'REGISTRY_TOKEN', 'CARRIER_TOKEN_FILE']
  const before = { ...process.env }
  for (const name of names) process.env[`TALLY_${name}`] = 'x'
  process.env['TALLY_KAFKAJS_PATCHES'] = 'on'
  const left = environmentWithoutServers()
  Object.assign(process.env, before)
  for (const name of names) delete process.env[`TALLY_${name}`]
  expect(names.filter((name) => `TALLY_${name}` in left)).toEqual([])
  expect(left['TALLY_KAFKAJS_PATCHES']).toBe('on')
})
