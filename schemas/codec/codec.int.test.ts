import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { pino } from 'pino'
import { createSandbox } from '../testing/sandbox.ts'
import { parseSchema } from '../avro-schema.ts'
import type { RecordType } from '../avro-schema.ts'
import { createCodec } from './codec.ts'
import { createDecoder } from './decoder.ts'
import { createEncoder } from './encoder.ts'
import { writeHeader } from './framing.ts'
import type { EventData, EventType } from '../generated/events.ts'
import { loadSchemas } from '../load-schemas.ts'
import type { EventSchema } from '../load-schemas.ts'
import { registerSchemas } from '../registry/registry.ts'
import { subjectOf } from '../topics.ts'

const schemas = loadSchemas()
const voided: EventData['PaymentVoided'] = { orderId: 'o1', authorizationId: 'a1', voidedAt: 1_750_000_000_000 }

/** A corner of the registry, empty at first. */
function openRegistry() {
  const sandbox = createSandbox()
  const { namespace } = sandbox
  const registryUrl = sandbox.config.registry.url
  const ask = async (path: string, request?: { method: string; body: object }): Promise<unknown> => {
    const response = await fetch(`${registryUrl}${path}`, {
      method: request?.method,
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: request && JSON.stringify(request.body),
    })
    return response.json()
  }
  return {
    namespace,
    registryUrl,
    ask,
    versions: (type: EventType) => ask(`/subjects/${subjectOf(namespace, type)}/versions`),
    level: (type: EventType) => ask(`/config/${subjectOf(namespace, type)}`),
    [Symbol.asyncDispose]: () => sandbox.close(),
  }
}

/** Today's schemas, the fields of one of them changed. */
const withFields = (type: EventType, change: (fields: object[]) => object[]): EventSchema[] =>
  schemas.map((event) => {
    if (event.type !== type) return event
    const { fields, ...rest } = event.schema as { fields: object[] }
    const schema = { ...rest, fields: change(fields) }
    return { type, schema, json: JSON.stringify(schema), record: parseSchema(schema) as RecordType }
  })
const note = { name: 'note', type: ['null', 'string'], default: null, doc: 'Added later' }

describe('registering', () => {
  test('may be done again and by many at once', async () => {
    await using registry = openRegistry()
    const [ids, ...others] = await Promise.all(Array.from({ length: 4 }, () => registerSchemas(registry)))
    for (const other of [...others, await registerSchemas(registry)]) expect(other).toEqual(ids)
    for (const { type } of schemas) {
      expect(await registry.versions(type)).toEqual([1])
      expect(await registry.level(type)).toEqual({ compatibilityLevel: 'FULL_TRANSITIVE' })
    }
  })

  test('gives a subject made by hand our level', async () => {
    await using registry = openRegistry()
    const subject = subjectOf(registry.namespace, 'PaymentVoided')
    const { json } = schemas.find(({ type }) => type === 'PaymentVoided')!
    await registry.ask(`/subjects/${subject}/versions`, { method: 'POST', body: { schema: json } })
    await registry.ask(`/config/${subject}`, { method: 'PUT', body: { compatibility: 'NONE' } })
    await registerSchemas(registry)
    expect(await registry.level('PaymentVoided')).toEqual({ compatibilityLevel: 'FULL_TRANSITIVE' })
    expect(await registry.versions('PaymentVoided')).toEqual([1])
  })

  test('refuses an incompatible change by name, before anything is registered', async () => {
    await using registry = openRegistry()
    await registerSchemas(registry)
    await registerSchemas({ ...registry, schemas: withFields('PaymentVoided', (fields) => [...fields, note]) })
    const broken = withFields('PaymentVoided', (fields) => [
      ...fields.slice(1),
      { ...note, type: 'string', default: '' },
    ])
    const alsoChanged = withFields('PaymentDeclined', (fields) => [...fields, note])
    const refusal = registerSchemas({
      ...registry,
      schemas: broken.map(
        (event) => (event.type === 'PaymentDeclined' ? alsoChanged : broken).find(({ type }) => type === event.type)!,
      ),
      readersOf: (type) => (type === 'PaymentVoided' ? ['order-status', 'shipping'] : []),
    })
    await expect(refusal).rejects.toMatchObject({
      code: 'SCHEMA_INCOMPATIBLE',
      message: [
        'Nothing was registered, these changes are incompatible:',
        'PaymentVoided.orderId was removed, which code deployed before needs: it has no default there (version 1, 2); it would break order-status, shipping',
        'PaymentVoided.note was null | string and would be string (version 2); it would break order-status, shipping',
      ].join('\n'),
    })
    expect(await registry.versions('PaymentVoided')).toEqual([1, 2])
    expect(await registry.versions('PaymentDeclined')).toEqual([1])
  })
})

describe('the codec', () => {
  test('writes and reads, and learns what others write', async () => {
    await using registry = openRegistry()
    await registerSchemas(registry)
    const today = await createCodec(registry)
    const value = today.encode('PaymentVoided', voided)
    expect(today.decode(value)).toMatchObject({ type: 'PaymentVoided', data: voided })

    const newer = withFields('PaymentVoided', (fields) => [note, ...fields])
    const ids = await registerSchemas({ ...registry, schemas: newer })
    const newValue = createEncoder(newer, ids)('PaymentVoided', {
      ...voided,
      note: 'later',
    } as EventData['PaymentVoided'])
    await today.learn([value, newValue].map((bytes) => today.schemaIdOf(bytes)!))
    expect(today.typeOf(today.schemaIdOf(newValue)!)).toBe('PaymentVoided')
    expect(JSON.parse(JSON.stringify(today.decode(newValue).data))).toEqual(voided)

    const tomorrow = createDecoder(newer)
    tomorrow.add(today.schemaIdOf(value)!, schemas.find(({ type }) => type === 'PaymentVoided')!.schema)
    expect(tomorrow.decode(value).data).toMatchObject({ ...voided, note: null })
  })

  test('reads what a producer wrote with a schema that the registry takes', async () => {
    await using registry = openRegistry()
    await registerSchemas(registry)
    const codec = await createCodec(registry)
    const body = codec.encode('PaymentVoided', voided).subarray(5)
    const { fields, ...about } = schemas.find(({ type }) => type === 'PaymentVoided')!.schema as { fields: object[] }
    const extra = { name: 'extra', type: ['null', 'string'], default: 'VALUE1' }
    const schema = JSON.stringify({ ...about, fields: [extra, ...fields] })
    const path = `/subjects/${registry.namespace}foreign/versions`
    const { id } = (await registry.ask(path, { method: 'POST', body: { schema } })) as { id: number }
    await codec.learn([id])
    const value = Buffer.concat([Buffer.alloc(5), Buffer.from([2, 2, 0x78]), body])
    writeHeader(value, 0, id)
    expect(codec.decode(value).data).toEqual(voided)
  })

  test('reads without writing anything', async () => {
    await using registry = openRegistry()
    await registerSchemas(registry)
    const value = (await createCodec(registry)).encode('PaymentVoided', voided)
    const reader = await createCodec({ ...registry, types: [] })
    await reader.learn([reader.schemaIdOf(value)!])
    expect(reader.decode(value).data).toMatchObject(voided)
    expect(() => reader.encode('PaymentVoided', voided)).toThrow('this codec was not made to write PaymentVoided')
  })

  test.each([2 ** 31 - 1, 999_999_999])('schema %p does not exist', async (schemaId) => {
    await using registry = openRegistry()
    const codec = await createCodec({ ...registry, types: [] })
    const value = Buffer.alloc(9)
    writeHeader(value, 0, schemaId)
    await codec.learn([schemaId])
    expect(codec.typeOf(schemaId)).toBeUndefined()
    expect(() => codec.decode(value)).toThrow(
      expect.objectContaining({ code: 'UNREADABLE', message: `schema ${schemaId} is unknown to the registry` }),
    )
  })

  test('is not made for events that are not registered', async () => {
    await using registry = openRegistry()
    const subject = subjectOf(registry.namespace, 'PaymentVoided')
    await expect(createCodec({ ...registry, types: ['PaymentVoided'] })).rejects.toMatchObject({
      code: 'NOT_DEPLOYED',
      message: expect.stringContaining(`has no ${subject} like the PaymentVoided of this version`),
    })
  })

  test('waits for a registry that is away, and says so', async () => {
    await using registry = openRegistry()
    await registerSchemas(registry)
    const { hostname, port, pathname } = new URL(registry.registryUrl)
    const sockets = new Set<Socket>()
    const proxy = createServer((socket) => {
      const upstream = connect(Number(port), hostname)
      socket.pipe(upstream).pipe(socket)
      for (const end of [socket, upstream]) sockets.add(end.on('error', () => {}))
    })
    const close = async () => {
      for (const socket of sockets) socket.destroy()
      proxy.close()
      await once(proxy, 'close')
    }
    await once(proxy.listen(0, '127.0.0.1'), 'listening')
    const proxyPort = (proxy.address() as AddressInfo).port
    await close()
    const warnings: string[] = []
    const log = pino(
      { level: 'warn' },
      { write: (line: string) => void (warnings.push(line), warnings.length === 2 && proxy.listen(proxyPort)) },
    )
    const codec = await createCodec({ ...registry, registryUrl: `http://127.0.0.1:${proxyPort}${pathname}`, log })
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toContain('does not answer as it should')
    expect(codec.decode(codec.encode('PaymentVoided', voided)).data).toMatchObject(voided)
    await close()
  })

  test('gives up waiting when told to', async () => {
    const stop = new AbortController()
    const log = pino({ level: 'warn' }, { write: () => stop.abort() })
    const codec = createCodec({ registryUrl: 'http://127.0.0.1:9', namespace: '', log, signal: stop.signal })
    await expect(codec).rejects.toMatchObject({ name: 'AbortError' })
  })
})
