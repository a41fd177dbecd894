import { describe, expect, test } from '@jest/globals'
import type { Express } from 'express'
import supertest from 'supertest'
import { silentLogger } from '../../../infra/logger.ts'
import { createApp } from './app.ts'
import { healthOperations } from './health.ts'
import { labelOperations } from '../fulfilment/label.ts'
import { productOperations } from '../orders/products.ts'
import { readOperations } from '../orders/read-orders.ts'
import { stockOperations } from '../fulfilment/stock.ts'
import { writeOperations } from '../orders/write-orders.ts'

// Nothing is called: only what the operations say of themselves counts
const unused = {} as never
const app = createApp(
  [
    ...writeOperations(unused),
    ...readOperations(unused),
    ...productOperations(unused),
    ...stockOperations(unused),
    ...labelOperations(unused),
    ...healthOperations({ ...(unused as object), owner: 'x' } as never),
  ],
  { log: silentLogger },
)

interface Document {
  openapi: string
  info: { title: string; version: string; description: string }
  paths: Record<string, Record<string, OperationObject>>
  components: { schemas: Record<string, object> }
}

interface OperationObject {
  operationId: string
  summary: string
  parameters?: { name: string; in: string; required?: boolean; schema: object }[]
  requestBody?: { required: boolean; content: Record<string, { schema: object }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}

const read = async (): Promise<Document> => (await supertest(app).get('/openapi.json')).body as Document
const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  )

/** Every `get /path` Express serves; a route of all methods only refuses. */
function routesOf({ router }: Express): string[] {
  const stack = router.stack as { route?: { path: string; methods: Record<string, boolean> } }[]
  return stack.flatMap(({ route }) => {
    const methods = Object.keys(route?.methods ?? {})
    return route && methods.length === 1 ? [`${methods[0]} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}`] : []
  })
}

describe('the OpenAPI document', () => {
  test('has every route of the application, and no other', async () => {
    const described = operationsOf(await read()).map(({ method, path }) => `${method} ${path}`)
    expect(described.toSorted()).toEqual(routesOf(app).toSorted())
    expect(described).toEqual(expect.arrayContaining(['post /orders', 'get /orders/{id}/events', 'get /openapi.json']))
  })

  test('is OpenAPI 3.1 in shape', async () => {
    const document = await read()
    expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Orders', version: '1' } })
    const ids = new Set<string>()
    for (const { path, operation } of operationsOf(document)) {
      ids.add(operation.operationId)
      expect(operation.summary).toMatch(/^[A-Z]/)
      const inPath = operation.parameters?.filter((parameter) => parameter.in === 'path') ?? []
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? [])
      expect(inPath.every(({ required }) => required === true)).toBe(true)
      expect(Object.keys(operation.responses)).toContain('default')
      for (const [status, { description }] of Object.entries(operation.responses)) {
        expect(status).toMatch(/^([2-5]\d\d|default)$/)
        expect(description).toMatch(/\S/)
      }
    }
    expect(ids.size).toBe(operationsOf(document).length)
  })

  test('refers only to schemas it has', async () => {
    const document = await read()
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference)
    const known = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`)
    expect(references.length).toBeGreaterThan(10)
    expect(known).toEqual(expect.arrayContaining(references))
  })

  test('tells the bounds that are checked', async () => {
    const { components, paths } = await read()
    expect(components.schemas['NewOrder']).toMatchObject({
      additionalProperties: false,
      properties: {
        lines: { minItems: 1, maxItems: 100, items: { properties: { quantity: { minimum: 1, maximum: 10_000 } } } },
        currency: { pattern: '^[A-Z]{3}$' },
      },
    })
    const header = paths['/orders']?.['post']?.parameters?.find(({ name }) => name === 'idempotency-key')
    expect(header).toMatchObject({ in: 'header', required: false })
  })
})
