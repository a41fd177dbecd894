import { expect, test } from '@jest/globals'
import { loadConfig } from './config.ts'
import { describeError, TallyError } from './errors.ts'
import { readAddress } from './server-address.ts'
import { rememberSecret, withoutSecrets } from './without-secrets.ts'

test.each([
  ['http://host:1/v1', 'http://host:1/v1', undefined],
  ['https://tally:p%40ss@host/v1', 'https://host/v1', 'tally:p@ss'],
  ['http://token@host:1', 'http://host:1', 'token:'],
  ['http://u:100%@host', 'http://host', 'u:100%'],
])('the address %s is asked at %s as %s', (address, url, user) => {
  const found = readAddress(address)
  const sent = found.headers.authorization?.replace('Basic ', '')
  expect([found.url, sent && Buffer.from(sent, 'base64').toString()]).toEqual([url, user])
})

test.each([
  ['no answer from http://user:secret@host:80/x', 'no answer from http://***@host:80/x'],
  ['postgres://tally:se@cret@h/db and https://secret@h', 'postgres://***@h/db and https://***@h'],
  ['postgres://h/db?sslmode=require&password=secret&x=1', 'postgres://h/db?sslmode=require&password=***&x=1'],
  ['{"url":"http://host","mail":"a@b"}', '{"url":"http://host","mail":"a@b"}'],
  ['http://host/path a@b', 'http://host/path a@b'],
])('the secret in `%s` is not shown', (text, shown) => {
  expect(withoutSecrets(text)).toBe(shown)
})

test.each([
  ['token eyJhbGciOi.eyJzdWIi.c2ln-_x is old', 'token *** is old'],
  ['{"authorization":"Bearer abcdefgh12","x":1}', '{"authorization":"Bearer ***","x":1}'],
  ['sent Basic dXNlcjpzZWNyZXQ= to', 'sent Basic *** to'],
  ['-----BEGIN EC PRIVATE KEY-----\\nMIIabc', '-----BEGIN EC PRIVATE KEY-----***'],
  [
    'a\n-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----',
    'a\n-----BEGIN PRIVATE KEY-----***-----END PRIVATE KEY-----',
  ],
  ['Send a bearer token in the Authorization header.', 'Send a bearer token in the Authorization header.'],
])('what is always a secret is not shown: %j', (text, shown) => {
  expect(withoutSecrets(text)).toBe(shown)
})

test('a secret that was replaced can be forgotten, and what an address or a header of the collector holds is none to show', () => {
  const forget = rememberSecret('token-of-an-hour')
  expect(withoutSecrets('x token-of-an-hour')).toBe('x ***')
  forget()
  expect(withoutSecrets('x token-of-an-hour')).toBe('x token-of-an-hour')
  loadConfig({ OTEL_EXPORTER_OTLP_HEADERS: 'api-key=key%20of-collector,x=y', TALLY_CARRIER_URL: 'http://u:50%o-f@h' })
  expect(withoutSecrets('key of-collector, key%20of-collector, 50%o-f')).toBe('***, ***, ***')
})

test('no error shows the secret of an address, whoever threw it', async () => {
  const url = 'http://user:secret@127.0.0.1:1/subjects'
  const refused: unknown = await fetch(url).catch((error: unknown) => error)
  const thrown = new TallyError('UNREACHABLE', `no answer at ${url}`, { cause: refused })
  expect(String((refused as Error).message)).toContain('secret') // What the platform says
  for (const text of [describeError(refused), describeError(thrown), thrown.message, String(thrown.stack)])
    expect(text).not.toContain('secret')
})

test('a broker with user and password is refused without repeating them', () => {
  const wrong = { TALLY_KAFKA_BROKERS: 'user:secret@host:9092' }
  expect(() => loadConfig(wrong)).toThrow(/^Configuration: TALLY_KAFKA_BROKERS: (?!.*secret)/)
})
