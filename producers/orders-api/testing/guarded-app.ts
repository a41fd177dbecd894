import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RequestHandler } from 'express'
import { SignJWT } from 'jose'
import { silentLogger } from '../../../infra/logger.ts'
import { sealingKey } from '../../../infra/security/sealed-text.ts'
import { createEncoder } from '../../../schemas/codec/encoder.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import { loadSchemas } from '../../../schemas/load-schemas.ts'
import { createApp } from '../http/app.ts'
import { createAuthenticate } from '../http/caller.ts'
import type { OrderStatus } from '../http/contract.ts'
import { createGuard } from '../http/guard.ts'
import { healthOperations } from '../http/health.ts'
import { SubjectLimits } from '../http/subject-limits.ts'
import type { Entry } from '../orders/order-book.ts'
import { productOperations } from '../orders/products.ts'
import { readOperations } from '../orders/read-orders.ts'
import { stockOperations } from '../fulfilment/stock.ts'
import { writeOperations } from '../orders/write-orders.ts'

export const [issuer, audience] = ['https://login.example', 'orders']
/** The key pair of the tests: the application gets the public half only. */
export const keys = generateKeyPairSync('ed25519')
const ids = new Map<EventType, number>([
  ['OrderPlaced', 1],
  ['CancellationRequested', 2],
])
const tea = { sku: 'tea', name: 'Tea', unitPriceMinor: '450', currency: 'EUR' }
const shipTo = { recipient: 'Jane Roe', street: 'High Street 1', city: 'Leeds', postalCode: '', country: 'UK' }
export const order = { customerId: 'c-1', currency: 'EUR', lines: [{ sku: 'tea', quantity: 2 }], shipTo }
const known: OrderStatus = {
  ...{ orderId: 'o-1', status: 'placed', reason: null, customerId: 'c-1', currency: 'EUR', totalMinor: '900' },
  ...{ placedAt: null, updatedAt: '2026-01-01T00:00:00.000Z', endedAt: null, shipment: null },
}

interface GuardedAppOptions {
  rate?: number
  jwksUrl?: string
  shop?: RequestHandler
}

/** The application with lists in place of the database, and authentication. */
export function guardedApp({ rate = 1_000, jwksUrl, shop }: GuardedAppOptions = {}) {
  const written: Entry[] = []
  const encode = createEncoder(loadSchemas(), ids)
  const limits = new SubjectLimits(rate, () => 0)
  const reader = {
    find: async (id: string) => (id === 'o-1' ? known : id === 'o-2' ? { ...known, customerId: null } : undefined),
    customerOf: async () => 'c-2',
    statuses: async () => [],
    timeline: async () => new Map(),
    labelUrl: async () => undefined,
  }
  const feed = { watch: () => true, unwatch: () => {} } as never
  const operations = [
    ...writeOperations({
      book: { write: async (entry) => (written.push(entry), entry.reply) },
      catalogue: { find: async () => new Map([[tea.sku, tea]]) },
      reader,
      findKey: async () => undefined,
      encoder: async () => encode,
      countRequests: async () => 0,
      keyOf: async (customerId) => sealingKey(1, customerId, Buffer.alloc(32)),
    }),
    ...readOperations({ reader, feed, limits, heartbeatMs: 10_000 }),
    ...productOperations({ list: async (after) => (after < tea.sku ? [tea] : []), put: async () => {} }),
    ...stockOperations(async () => [{ sku: tea.sku, onHand: '3' }]),
    ...healthOperations({ pool: { query: async () => ({ rows: [] }) } as never, owner: 'x', encoder: async () => {} }),
  ]
  const folder = mkdtempSync(join(tmpdir(), 'tally-key-'))
  const keyFile = join(folder, 'key')
  writeFileSync(keyFile, keys.publicKey.export({ format: 'pem', type: 'spki' }))
  const settings = { keyFile: jwksUrl ? undefined : keyFile, jwksUrl, issuer, audience, rate }
  const guard = createGuard(createAuthenticate(settings), limits)
  rmSync(folder, { recursive: true })
  return { app: createApp(operations, { log: silentLogger, guard, shop }), written }
}

export interface Claims {
  sub?: string | undefined
  scope?: string | undefined
  iss?: string
  aud?: string
  exp?: string | undefined
  nbf?: string
}

/** A bearer token as the `Authorization` header has it. @default customer c-1, for own orders, one hour */
export async function tokenOf({
  sub = 'c-1',
  scope = 'orders:own',
  iss = issuer,
  aud = audience,
  exp = '1h',
  nbf,
}: Claims = {}) {
  const token = new SignJWT({ scope }).setProtectedHeader({ alg: 'EdDSA' }).setIssuer(iss).setAudience(aud)
  token.setSubject(sub).setExpirationTime(exp)
  if (nbf) token.setNotBefore(nbf)
  return `Bearer ${await token.sign(keys.privateKey)}`
}
