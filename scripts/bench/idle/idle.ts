import { setTimeout as delay } from 'node:timers/promises'
import { consumerFolders } from '../../../consumers/runtime/load-consumer.ts'
import { readStackRecord } from '../../../infra/stack/supervisor/stack-record.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { cpuOf, usageOf } from '../processes.ts'
import { startPipeline } from '../saga/ours.ts'
import { startOutsideWorld } from '../saga/outside-world.ts'
import { startMachineWatch } from '../watch.ts'

/** After the start: first compilations, checkpoints, and members whose waits are still short. */
const settleMs = 20_000

export const idle: Benchmark = {
  name: 'idle',
  what: 'Processor time and memory of each process, and commits in PostgreSQL, while nothing is ordered.',
  unit: 'commits/s',
  events: { usual: 60, quick: 5 },
  contenders: [
    {
      name: 'tally',
      setup:
        'one replica of each service and the embedded servers, without the supervisor; the events of a repeat are seconds; % of one core and MB (USS: own pages, PSS: with its share of common ones) of process trees',
      measure,
    },
  ],
  bars: [
    { atMost: 5 },
    { figure: 'whole stack %', atMost: 10 },
    { figure: 'largest consumer USS MB', atMost: 110 },
    { figure: 'whole stack PSS MB', atMost: 1_230 },
  ],
}

async function measure(ground: Ground): Promise<Repeat> {
  const { sandbox, events: seconds, signal } = ground
  await using world = await startOutsideWorld(ground)
  await using pipeline = await startPipeline(ground, () => {})
  const servers = readStackRecord(sandbox.config.dataDir)?.processes ?? [] // None if external servers are used
  const roots = new Map([
    ...[...world.services, ...pipeline.services].map(({ name, pid }) => [name, pid] as const),
    ...servers.flatMap(({ name, identity }) => (identity ? [[name, identity.pid] as const] : [])),
  ])
  await delay(settleMs, undefined, { signal })
  const [before, commitsBefore, machineSeconds] = [cpuOf(roots), await commitsIn(sandbox.pool), startMachineWatch()]
  await delay(seconds * 1_000, undefined, { signal })
  const [after, commits] = [cpuOf(roots), (await commitsIn(sandbox.pool)) - commitsBefore]
  const shares = [...after].map(([name, used]): [string, number] => [
    `${name} %`,
    ((used - (before.get(name) ?? 0)) / seconds) * 100,
  ])
  const whole = shares.reduce((sum, [, share]) => sum + share, 0)
  return {
    perSecond: commits / seconds,
    cpuPerEvent: whole / 100,
    machineCpuPerEvent: machineSeconds() / seconds,
    figures: { 'whole stack %': whole, ...Object.fromEntries(shares), ...memoryOf(roots) },
  }
}

function memoryOf(roots: ReadonlyMap<string, number>): Record<string, number> {
  const usages = usageOf(roots)
  const megabytes = (bytes: number | undefined) => (bytes ?? 0) / 2 ** 20
  return {
    'largest consumer USS MB': Math.max(...consumerFolders().map((name) => megabytes(usages.get(name)?.own))),
    'whole stack PSS MB': [...usages.values()].reduce((sum, { proportional }) => sum + megabytes(proportional), 0),
    ...Object.fromEntries(
      [...usages].flatMap(([name, { own, proportional }]) => [
        [`${name} USS MB`, megabytes(own)],
        [`${name} PSS MB`, megabytes(proportional)],
      ]),
    ),
  }
}

async function commitsIn(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ commits: number }>(
    'select xact_commit::float8 as commits from pg_stat_database where datname = current_database()',
  )
  return rows[0]?.commits ?? 0
}
