import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../../infra/config.ts'
import { mintToken } from '../../../infra/security/access-token.ts'
import { TcpProxy } from '../../../infra/testing/faults/tcp-proxy.ts'
import { demoCatalogue } from '../../../producers/sample-data/demo-catalogue.ts'
import { deployPipeline } from '../../bench/api/deploy-pipeline.ts'
import { createTestStack } from '../test-stack.ts'
import type { TestStack } from '../test-stack.ts'
import { keepingCollector, tactlessServer } from './outside-world.ts'
import { address, personal, secrets } from './planted.ts'
import { watchProcess } from './watched-process.ts'
import type { WatchedProcess } from './watched-process.ts'

export const partitions = 2
const everyService = ['payment', 'inventory', 'shipping', 'order-status', 'notifications']

/**
 * A pipeline on the servers of the test run, in which every setting that may hold a secret does, at the most talkative log
 * level.
 */
export interface PlantedPipeline extends AsyncDisposable {
  readonly stack: TestStack
  /** The services, by name. */
  readonly running: ReadonlyMap<string, WatchedProcess>
  readonly world: Awaited<ReturnType<typeof tactlessServer>>
  readonly collector: Awaited<ReturnType<typeof keepingCollector>>
  /** Through these the services reach the servers. */
  readonly database: TcpProxy
  readonly registry: TcpProxy
  /** A valid one for the orders API, and the file of the key that signs it. */
  readonly token: string
  readonly keyFile: string
  /** All that was said, by what said it. */
  readonly told: ReadonlyMap<string, string>
  note(what: string, text: string): void
  /** Writes a file. @returns its path */
  file(name: string, content: string): string
  /** Sends a request to the orders API and notes a refusal. */
  ask(path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>
}

/** An order with everything a customer says in it. */
export const order = () => ({
  customerId: 'c-1',
  currency: demoCatalogue()[0]?.currency,
  lines: [{ sku: demoCatalogue()[0]?.sku, quantity: 1 }],
  shipTo: { ...address(), country: 'UK' },
  paymentMethod: personal.paymentMethod,
})

const proxyOf = (url: URL) => TcpProxy.open({ target: { host: url.hostname, port: Number(url.port) } })
const through = (url: URL, { port }: TcpProxy, username: string, password: string): string =>
  Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port), username, password }).href

/** @param services consumers that run; @default those of an order */
export async function openPlantedPipeline(
  portBase: number,
  services: readonly string[] = everyService,
): Promise<PlantedPipeline> {
  await using opening = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'tally-leaks-'))
  opening.defer(() => rmSync(folder, { recursive: true, force: true }))
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const { postgres, registry: itself } = loadConfig()
  const [databaseUrl, registryUrl] = [new URL(postgres.url), new URL(itself.url)]
  const database = opening.use(await proxyOf(databaseUrl))
  const registry = opening.use(await proxyOf(registryUrl))
  const world = opening.use(await tactlessServer())
  const collector = opening.use(await keepingCollector())
  const keys = generateKeyPairSync('ed25519')
  const keyFile = file('private.pem', String(keys.privateKey.export({ format: 'pem', type: 'pkcs8' })))
  const stack = await createTestStack(portBase, {
    TALLY_PARTITIONS: String(partitions),
    TALLY_LOG_LEVEL: 'trace',
    TALLY_MONITOR_PORT: '0',
    TALLY_RETRY_LIMIT: '0',
    TALLY_REGISTRY_URL: through(registryUrl, registry, 'tally', secrets.registryPassword),
    TALLY_GATEWAY_URL: `http://127.0.0.1:${world.port}`,
    TALLY_GATEWAY_TOKEN_FILE: file('gateway.token', `${secrets.gatewayToken}\n`),
    TALLY_CARRIER_URL: `http://tally:${encodeURIComponent(secrets.carrierPassword)}@127.0.0.1:${world.port}`,
    TALLY_API_KEY_FILE: file('public.pem', String(keys.publicKey.export({ format: 'pem', type: 'spki' }))),
    TALLY_API_ISSUER: 'leaks',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}`,
    OTEL_EXPORTER_OTLP_HEADERS: `api-key=${secrets.collectorToken}`,
  })
  opening.defer(() => stack.close())
  const { pool, namespace, env } = stack.sandbox
  const role = `${namespace}leaks`
  await pool.query(`create role "${role}" superuser login password '${secrets.databasePassword}'`)
  opening.defer(() => pool.query(`drop owned by "${role}" cascade; drop role "${role}"`).then(() => {}))
  env['TALLY_DATABASE_URL'] = through(databaseUrl, database, role, secrets.databasePassword)
  await deployPipeline(stack.sandbox)
  const scopes = ['orders:own', 'orders:any', 'operations'] as const
  const token = await mintToken(stack.config, { subject: 'c-1', scopes, keyFile })
  const running = new Map<string, WatchedProcess>()
  for (const name of services) running.set(name, opening.use(await watchProcess(env, ['consumers/main.ts', name])))
  running.set('orders-api', opening.use(await watchProcess(env, ['producers/orders-api/main.ts'])))

  const told = new Map<string, string>()
  const note = (what: string, text: string) => void told.set(what, `${told.get(what) ?? ''}${text}`)
  const resources = opening.move()
  return {
    ...{ stack, running, world, collector, database, registry, token, keyFile, told, note, file },
    async ask(path, body, headers = {}) {
      const response = await fetch(`http://127.0.0.1:${portBase + 80}${path}`, {
        ...(body !== undefined && { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      })
      if (response.status >= 400) note(`answer ${response.status}`, await response.clone().text())
      return response
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
