import { createRequire } from 'node:module'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { freePort } from '../../../producers/orders-api/testing/orders-bench.ts'
import type { Ground } from '../benchmark.ts'
import { startServer, startService } from '../start-service.ts'
import type { Service } from '../start-service.ts'
import { preparePeerOrders, watchPeerOrders } from './peer-orders.ts'
import type { Contestant } from './run-stages.ts'

export const restateVersion = '1.7.12'
const server = `@restatedev/restate-server-${process.platform}-${process.arch}`

/**
 * The server is no dependency: its licence, BSL 1.1, is not that of open source, and its 216 MB would be part of every
 * installation.
 */
export const installRestate = `npm install --no-save @restatedev/restate-server@${restateVersion}`

/** @returns why it cannot take part, and what to do */
export function restateMissing(): string | undefined {
  const version = installedVersion()
  if (version === restateVersion) return undefined
  return `Restate's server ${version ? `is of version ${version}` : 'is not installed'}: ${installRestate}`
}

function installedVersion(): string | undefined {
  try {
    const { version } = createRequire(import.meta.url)(`${server}/package.json`) as { version: string }
    return version
  } catch {
    return undefined
  }
}

/** One workflow per order, in one Node process; Restate's server keeps the journal of its steps. */
export async function startRestate(ground: Ground, ended: (orderId: string, at?: number) => void): Promise<Contestant> {
  const { config, namespace } = ground.sandbox
  const schema = `${namespace}restate`
  await preparePeerOrders(ground.sandbox, schema)
  const dataDir = await mkdtemp(join(tmpdir(), 'tally-bench-'))
  const restate = await startRestateServer(dataDir)
  const port = await freePort()
  const parameters = {
    ...{ databaseUrl: config.postgres.url, gateway: config.gateway.url, carrier: config.carrier.url },
    ...{ ingress: restate.ingress, admin: restate.admin, schema, port },
  }
  const program = join(import.meta.dirname, '../peers/restate.ts')
  const node = await startService(ground, program, { args: [JSON.stringify(parameters)], name: 'workflow' })
  const services = [node, restate.service]
  const watch = watchPeerOrders(ground.sandbox, schema, ended)
  return {
    services,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await watch[Symbol.asyncDispose]()
      for (const service of services) await service[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true })
    },
  }
}

async function startRestateServer(dataDir: string): Promise<{ ingress: string; admin: string; service: Service }> {
  const addresses = await Promise.all(Array.from({ length: 3 }, async () => `127.0.0.1:${await freePort()}`))
  const [internal = '', ingress = '', admin = ''] = addresses
  const service = await startServer(
    'restate-server',
    {
      command: createRequire(import.meta.url).resolve(`${server}/bin/restate-server`),
      args: ['--base-dir', dataDir, '--bind-address', internal, '--listen-mode', 'tcp'],
      env: {
        RESTATE_INGRESS__BIND_ADDRESS: ingress,
        RESTATE_ADMIN__BIND_ADDRESS: admin,
        RESTATE_DISABLE_TELEMETRY: 'true',
        RESTATE_LOG_FILTER: 'error,octocrab=off', // It asks for the newest release, also without telemetry
      },
    },
    () => waitUntil('Restate is ready', () => isUp(`http://${ingress}/restate/health`, `http://${admin}/health`)),
  )
  return { service, ingress: `http://${ingress}`, admin: `http://${admin}` }
}

const isUp = async (...urls: string[]): Promise<boolean> =>
  (await Promise.all(urls.map((url) => fetch(url)))).every(({ ok }) => ok)
