import { setTimeout as delay } from 'node:timers/promises'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import { freePort } from '../../../producers/orders-api/testing/orders-bench.ts'
import { deployPipeline } from '../api/deploy-pipeline.ts'
import type { Ground, Repeat } from '../benchmark.ts'
import { assertCount } from '../fill-orders.ts'
import { readOutput } from '../rebalance/read-output.ts'
import { longestPause } from '../rebalance/longest-pause.ts'
import { cpuSecondsOf, startService } from '../start-service.ts'
import type { Service } from '../start-service.ts'
import { startMachineWatch } from '../watch.ts'
import { placeSteadily } from './steady-client.ts'

interface Replica {
  readonly url: string
  readonly service: Service
}

export interface ApiStep {
  readonly name: string
  readonly afterSeconds: number
  /** Signal to the replica that publishes at that time. SIGCONT goes to the frozen one. */
  readonly signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'
}

/** Sends orders to two replicas of the orders API and hits the one that publishes for both. */
export async function runApi(ground: Ground, steps: readonly ApiStep[]): Promise<Repeat> {
  const { sandbox, signal, events } = ground
  const schema = await deployPipeline(sandbox)
  const replicas: Replica[] = []
  const started: Service[] = []
  const start = async () => {
    const port = await freePort()
    const env = { TALLY_API_PORT: String(port) }
    const service = await startService(ground, 'producers/orders-api/main.ts', { env })
    started.push(service)
    replicas.push({ service, url: `http://127.0.0.1:${port}` })
  }
  const publisher = async () => {
    const { rows } = await sandbox.pool.query<{ owner: string }>(`select owner from ${schema}.lane where lane = 0`)
    return replicas.find(({ service }) => rows[0]?.owner.endsWith(`:${service.pid}`))
  }
  let victim: Replica | undefined
  try {
    await start() // Owns all lanes
    await start()
    const [startedAt, machineSeconds] = [performance.now(), startMachineWatch()]
    const placing = placeSteadily(() => replicas.map(({ url }) => url), events, signal)
    const windows: { name: string; from: number; to: number }[] = []
    for (const [index, step] of steps.entries()) {
      if (index === 0) await delay(step.afterSeconds * 1_000)
      const from = Date.now()
      if (step.signal !== 'SIGCONT') victim = await publisher()
      victim?.service.signal(step.signal)
      if (step.signal === 'SIGKILL') {
        replicas.splice(replicas.indexOf(victim as Replica), 1)
        await start()
      }
      const next = steps[index + 1]
      await (next ? delay(next.afterSeconds * 1_000) : placing)
      windows.push({ name: step.name, from, to: Date.now() })
    }
    const placed = await placing
    const unpublished = `select count(*) as n from ${schema}.outbox_batch`
    const drained = async () => Number((await sandbox.pool.query<{ n: string }>(unpublished)).rows[0]?.n) === 0
    await waitUntil('all orders are published', drained)
    const perSecond = events / ((performance.now() - startedAt) / 1_000)
    const { rows } = await sandbox.pool.query<{ n: string }>(`select count(*) as n from ${schema}.placed_order`)
    const output = await readOutput(sandbox, 'orders', signal)
    assertCount('orders stored', Number(rows[0]?.n), events)
    assertCount('orders published', output.keys, events)
    const figures: Record<string, number> = {}
    for (const { name, from, to } of windows) {
      const then = placed.filter(({ dueAt }) => dueAt >= from - 1_000 && dueAt < to - 1_000)
      figures[`${name}: slowest answer ms`] = Math.max(...then.map(({ tookMs }) => tookMs))
      figures[`${name}: publisher pause ms`] = Math.max(
        ...[...output.times.values()].map((times) => longestPause(times, from, to)),
      )
    }
    figures['requests repeated'] = placed.reduce((sum, { requests }) => sum + requests - 1, 0)
    figures['published again'] = output.records - output.keys
    return {
      perSecond,
      cpuPerEvent: cpuSecondsOf(started) / events,
      machineCpuPerEvent: machineSeconds() / events,
      figures,
    }
  } finally {
    await Promise.all(started.map((service) => service[Symbol.asyncDispose]()))
  }
}
