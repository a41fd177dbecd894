import { OpenAPIRegistry, OpenApiGeneratorV31 } from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'
import { problemBody } from './contract.ts'
import { operation } from './operation.ts'
import type { Answer, Operation } from './operation.ts'

const description = `Accepts orders and shows their status. An order answered with 201 is stored together with its event, which is published
even if Kafka is unavailable at the moment.

Amounts and other 64-bit integers are strings. Errors are problem details (RFC 9457). With authentication, requests carry
a bearer token (JWT): \`orders:own\` gives access to the orders of the customer that is its subject, and other orders do
not exist for it. Without, the service listens on the loopback interface only.`

/** `GET /openapi.json`: the document of the given operations and of itself, generated once. */
export function describeApi(operations: readonly Operation[]): Operation {
  const self = operation({
    method: 'get',
    access: 'open',
    path: '/openapi.json',
    id: 'getOpenApi',
    summary: 'Get this document',
    request: {},
    answers: { 200: { description: 'OpenAPI 3.1', body: z.looseObject({ openapi: z.string() }) } },
    handle: () => ({ status: 200, body: document }),
  })
  const document = openApiDocument([...operations, self])
  return self
}

function openApiDocument(operations: readonly Operation[]): object {
  const registry = new OpenAPIRegistry()
  const bearer = registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
  })
  for (const { method, path, id, summary, description, access, request, answers } of operations) {
    registry.registerPath({
      method,
      path,
      operationId: id,
      summary,
      description,
      // Any of the alternatives
      security:
        access === 'open'
          ? []
          : access === 'any'
            ? [{ [bearer.name]: [] }]
            : access.map((scope) => ({ [bearer.name]: [scope] })),
      request: {
        params: request.path,
        query: request.query,
        headers: request.header,
        ...(request.body && { body: { required: true, content: { 'application/json': { schema: request.body } } } }),
      },
      responses: {
        ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, response(answer)])),
        default: { description: 'Refused', content: { 'application/problem+json': { schema: problemBody } } },
      },
    })
  }
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: { title: 'Orders', version: '1', description },
    servers: [{ url: '/' }],
  })
}

const response = ({ description, body, mediaType = 'application/json' }: Answer) => ({
  description,
  ...(body && { content: { [mediaType]: { schema: body } } }),
})
