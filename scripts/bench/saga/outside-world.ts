import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ground } from '../benchmark.ts'
import { startService } from '../start-service.ts'
import type { Service } from '../start-service.ts'

/** Starts gateway and carrier simulators that answer at once and never refuse, so that they do not affect the figures. */
export async function startOutsideWorld(
  ground: Pick<Ground, 'sandbox'>,
): Promise<AsyncDisposable & { services: readonly Service[] }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tally-bench-'))
  const env = {
    TALLY_DATA_DIR: dataDir,
    TALLY_GATEWAY_DECLINE_RATE: '0',
    TALLY_CARRIER_REFUSE_RATE: '0',
    TALLY_GATEWAY_LATENCY_MS: '0',
    TALLY_CARRIER_LATENCY_MS: '0',
  }
  const start = (name: string) => startService(ground, 'infra/simulators/main.ts', { args: [name], env })
  const services = await Promise.all([start('gateway'), start('carrier')])
  return {
    services,
    async [Symbol.asyncDispose]() {
      for (const service of services) await service[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true })
    },
  }
}
