import { setTimeout as delay } from 'node:timers/promises'
import { fillWeek, leaveWeek, takeDuring } from '../../../consumers/runtime/testing/leaving-week.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { prepareOurTables } from '../hop/prepare.ts'
import { startMachineWatch } from '../watch.ts'

export const roll: Benchmark = {
  name: 'roll',
  what: 'The inbox moves on by four weeks: the ids of one week leave, while batches add ids as fast as they can.',
  unit: 'ids/s',
  events: { usual: 20_000_000, quick: 200_000 },
  contenders: [
    {
      name: 'tally',
      setup: 'one in a hundred of the leaving ids came late and stays; the rate is that of the roll, without filling',
      measure,
    },
  ],
  bars: [{ figure: 'longest batch ms', atMost: 200 }],
}

/** The vacuum of what was filled in is one statement. */
const patienceMs = 900_000
/** Batches without a roll beside them take turns for no longer than this. */
const comparedMs = 60_000

async function measure(ground: Ground): Promise<Repeat> {
  const { sandbox, events: ids, signal } = ground
  const { config, log } = sandbox
  const schema = await prepareOurTables(sandbox)
  const pool = createPool({ url: config.postgres.url, schema, name: 'roll', statementWithinMs: patienceMs, log })
  try {
    const now = Date.now()
    await fillWeek(pool, ids, now, signal)
    await pool.query('checkpoint') // What filling left to write must not count as the roll's
    const [beganAt, cpu, machineSeconds] = [performance.now(), process.cpuUsage(), startMachineWatch()]
    const { waits, lockedMs } = await leaveWeek(pool, now)
    const seconds = (performance.now() - beganAt) / 1_000
    const { user, system } = process.cpuUsage(cpu)
    const machine = machineSeconds()
    // What the machine does to batches by itself
    const without = await takeDuring(pool, now, () =>
      delay(Math.min(seconds * 1_000, comparedMs), undefined, { signal }),
    )
    return {
      perSecond: ids / seconds,
      cpuPerEvent: (user + system) / 1e6 / ids,
      machineCpuPerEvent: machine / ids,
      figures: {
        'longest batch ms': waits.at(-1) ?? 0,
        'median batch ms': waits[Math.floor(waits.length / 2)] ?? 0,
        'longest batch without a roll ms': without.at(-1) ?? 0,
        'locked ms': lockedMs ?? 0,
        batches: waits.length,
      },
    }
  } finally {
    await pool.end()
  }
}
