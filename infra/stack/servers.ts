import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { TallyError } from '../errors.ts'
import { kafkaServer } from './kafka-server.ts'
import { launch, stop, whenReady } from './launch.ts'
import type { ProcessSpec, RunningProcess } from './launch.ts'
import { postgresServer } from './postgres-server.ts'
import { registryServer } from './registry-server.ts'

export interface ServerOptions {
  /** false: fast and not proof against a power cut, for tests. @default true */
  durable?: boolean
  onProgress?: (text: string) => void
}

/**
 * Starts the embedded servers that `config` asks for: PostgreSQL, then Kafka and the registry side by side. All or none.
 * @throws TallyError USAGE (port taken, no JDK, no Maven) or UNREACHABLE (a server did not come up)
 */
export async function startServers(config: Config, { durable = true, onProgress = () => {} }: ServerOptions = {}) {
  const running: RunningProcess[] = []
  const bringUp = async (spec: ProcessSpec) => {
    const process = await launch(spec, await prepare(spec, onProgress), join(config.dataDir, 'logs'))
    running.push(process)
    await whenReady(process)
  }
  const stopAll = async () => {
    for (const process of running.splice(0).toReversed()) await stop(process)
  }
  try {
    const kafka = config.kafka.embedded ? bringUp(kafkaServer(config)) : undefined
    if (config.postgres.embedded) await bringUp(postgresServer(config, { durable }))
    const results = await Promise.allSettled([
      kafka,
      config.registry.embedded ? bringUp(registryServer(config)) : undefined,
    ])
    for (const result of results) if (result.status === 'rejected') throw result.reason
  } catch (error) {
    await stopAll()
    throw error
  }
  return { running: running as readonly RunningProcess[], stop: stopAll }
}

async function prepare(spec: ProcessSpec, progress: (text: string) => void) {
  const line = await spec.prepare((text) => progress(`${spec.title}: ${text}`))
  if (spec.port) await assertPortFree(spec.port, spec.title)
  return line
}

/** @throws TallyError USAGE when somebody listens there already */
export async function assertPortFree(port: number, title: string): Promise<void> {
  const probe = createServer()
  try {
    await new Promise<void>((free, taken) =>
      probe.once('error', taken).listen({ port, host: '127.0.0.1', exclusive: true }, free),
    )
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new TallyError(
      'USAGE',
      `Port ${port}, wanted by ${title}, is taken: stop what uses it, or move Tally with TALLY_PORT_BASE (now ${port} is a fixed distance above it)`,
      { cause: error },
    )
  } finally {
    await new Promise<void>((done) => probe.close(() => done()))
  }
}
