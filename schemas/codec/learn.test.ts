import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createDecoder } from './decoder.ts'
import { createLearn } from './learn.ts'
import { loadSchemas } from '../load-schemas.ts'

const schemas = loadSchemas()
const voided = schemas.find(({ type }) => type === 'PaymentVoided')!
const known = (response: ServerResponse) => json(response, 200, { schema: voided.json })
const unknown = (response: ServerResponse) => json(response, 404, { error_code: 40403, message: 'Schema not found' })

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

let server: Server
let registryUrl: string
let requests: (string | undefined)[]
let answer: (response: ServerResponse) => void

beforeEach(async () => {
  requests = []
  server = createServer((request, response) => {
    requests.push(request.url)
    answer(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  registryUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

function setUp({ unknownForMs = 30_000, unknownAtMost = 1_000, url = registryUrl } = {}) {
  const decoder = createDecoder(schemas)
  const learn = createLearn({
    timeoutMs: 2_000,
    registryUrl: url,
    decoder,
    unknownForMs,
    unknownAtMost,
  })
  return { decoder, learn }
}

test('a schema is fetched once, however many ask at once', async () => {
  answer = known
  const { decoder, learn } = setUp()
  await Promise.all([learn([7, 7]), learn([7]), learn(new Set([7]))])
  await learn([7])
  expect(requests).toEqual(['/schemas/ids/7'])
  expect(decoder.typeOf(7)).toBe('PaymentVoided')
})

test('many schemas are fetched, all of them', async () => {
  answer = known
  const { decoder, learn } = setUp()
  const ids = Array.from({ length: 50 }, (_, i) => i + 1)
  await learn(ids)
  expect(ids.every(decoder.knows)).toBe(true)
  expect(requests).toHaveLength(50)
})

test('that a schema does not exist is remembered for a while', async () => {
  answer = unknown
  const patient = setUp()
  await patient.learn([7])
  const asked = requests.length
  await patient.learn([7])
  expect(requests).toHaveLength(asked)
  expect(() => patient.decoder.decode(Buffer.from([0, 0, 0, 0, 7, 0]))).toThrow(
    expect.objectContaining({ code: 'UNREADABLE', message: 'schema 7 is unknown to the registry' }),
  )

  const impatient = setUp({ unknownForMs: 0 })
  await impatient.learn([7])
  answer = known
  await impatient.learn([7])
  expect(impatient.decoder.typeOf(7)).toBe('PaymentVoided')
})

test('a clock that is set back does not prolong it', async () => {
  answer = unknown
  const { decoder, learn } = setUp({ unknownForMs: 0 })
  await learn([7])
  answer = known
  const anHourAgo = Date.now() - 3_600_000
  using _clock = jest.spyOn(Date, 'now').mockReturnValue(anHourAgo)
  await learn([7])
  expect(decoder.typeOf(7)).toBe('PaymentVoided')
})

test('of ids that do not exist only so many are remembered, the latest', async () => {
  answer = unknown
  const { decoder, learn } = setUp({ unknownAtMost: 3 })
  for (let id = 1; id <= 5; id++) await learn([id])
  expect([1, 2, 3, 4, 5].filter(decoder.knows)).toEqual([3, 4, 5])
  answer = known
  await learn([1])
  expect(decoder.typeOf(1)).toBe('PaymentVoided')
})

test.each<[string, (response: ServerResponse) => void]>([
  ['an error of the registry', (response) => json(response, 500, { error_code: 50001, message: 'Store is away' })],
  ['a proxy that finds no registry', (response) => response.writeHead(404).end('<h1>Not found</h1>')],
  ['a router that knows no such path', (response) => json(response, 404, { message: 'no route' })],
  ['a page that comes with status 200', (response) => response.writeHead(200).end('<h1>Welcome</h1>')],
  ['JSON about something else', (response) => json(response, 200, { status: 'ok' })],
  ['half an answer', (response) => response.writeHead(200).end(JSON.stringify({ schema: voided.json }).slice(0, 90))],
  ['a cut connection', (response) => response.destroy()],
  ['silence', () => {}],
])('%s says nothing about the schema', async (_, failure) => {
  answer = failure
  const { decoder, learn } = setUp()
  await expect(learn([7])).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: true })
  expect(decoder.knows(7)).toBe(false)
  answer = known
  await learn([7])
  expect(decoder.typeOf(7)).toBe('PaymentVoided')
})

test.each([401, 403])('nor does a registry that refuses access with %i', async (status) => {
  answer = (response) => json(response, status, { error_code: status, message: 'Unauthorized' })
  const { decoder, learn } = setUp({ url: registryUrl.replace('://', '://tally:secret@') })
  const failure: unknown = await learn([7]).catch((error: unknown) => error)
  const message = expect.stringMatching(`at http://\\*\\*\\*@127.*refuses access \\(${status}\\)`)
  expect(failure).toMatchObject({ code: 'DENIED', retryable: false, message })
  expect(decoder.knows(7)).toBe(false)
  answer = known
  await learn([7])
  expect(decoder.typeOf(7)).toBe('PaymentVoided')
})

test.each([
  ['user and password', 'tally:p%40ss', `Basic ${btoa('tally:p@ss')}`],
  ['token', ':abc.def', 'Bearer abc.def'],
])('%s of the address are sent with every request', async (_, login, authorization) => {
  const seen: (string | undefined)[] = []
  server.on('request', ({ headers }) => seen.push(headers.authorization))
  answer = known
  const { learn } = setUp({ url: registryUrl.replace('://', `://${login}@`) })
  await learn([7])
  expect(seen).toEqual([authorization])
})

test('nor does a closed port', async () => {
  const { learn, decoder } = setUp({ url: registryUrl })
  server.close()
  await expect(learn([7, 8])).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: true })
  expect(decoder.knows(7)).toBe(false)
})

test.each<[string, object]>([
  ['of another format', { schemaType: 'JSON', schema: '{"type":"object"}' }],
  ['that is no schema', { schema: '{"type":"nonsense"}' }],
  ['that is no JSON', { schema: 'nonsense' }],
])('a schema %s is refused, the registry being well', async (_, body) => {
  answer = (response) => json(response, 200, body)
  const { decoder, learn } = setUp()
  await learn([7])
  expect(() => decoder.decode(Buffer.from([0, 0, 0, 0, 7, 0]))).toThrow(expect.objectContaining({ code: 'UNREADABLE' }))
})

describe('a schema that refers to others', () => {
  const outer = (type: string) => {
    const { fields, ...record } = voided.schema as { fields: object[] }
    return JSON.stringify({ ...record, fields: [...fields, { name: 'note', type }] })
  }
  const note = JSON.stringify({ type: 'record', name: 'shop.Note', fields: [{ name: 'by', type: 'shop.Author' }] })
  const author = JSON.stringify({ type: 'record', name: 'shop.Author', fields: [] })
  const answers: Record<string, object> = {
    '/schemas/ids/7': { schema: outer('shop.Note'), references: [{ name: 'shop.Note', subject: 'a/b', version: 2 }] },
    '/subjects/a%2Fb/versions/2': { schema: note, references: [{ name: 'shop.Author', subject: 'c', version: 1 }] },
    '/subjects/c/versions/1': { schema: author },
  }
  beforeEach(() => {
    answer = (response) => {
      const found = answers[requests.at(-1)!]
      if (found) json(response, 200, found)
      else unknown(response)
    }
  })

  test('is read with them', async () => {
    const { decoder, learn } = setUp()
    await learn([7])
    expect(requests).toEqual(Object.keys(answers))
    expect(decoder.whyUnreadable(7)).toBeUndefined()
    expect(decoder.typeOf(7)).toBe('PaymentVoided')
  })

  test('is refused if the registry lacks one of them', async () => {
    const { decoder, learn } = setUp()
    const { [`/subjects/c/versions/1`]: missing } = answers
    delete answers['/subjects/c/versions/1']
    await learn([7])
    answers['/subjects/c/versions/1'] = missing!
    expect(decoder.whyUnreadable(7)).toBe('schema 7 cannot be used: the registry has no version 1 of c')
  })
})
