import { maintainInboxAt } from '../../../consumers/runtime/tables/inbox/partitions.ts'
import { takeIds } from '../../../consumers/runtime/tables/inbox/inbox.ts'
import { weekMs } from '../../../consumers/runtime/tables/inbox/weeks.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { newEventId } from '../../../schemas/event-id.ts'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { prepareOurTables } from '../hop/prepare.ts'
import { startMachineWatch } from '../watch.ts'

const perStatement = 1_000_000

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

async function measure(ground: Ground): Promise<Repeat> {
  const { sandbox, events: ids, signal } = ground
  const { config, log } = sandbox
  const schema = await prepareOurTables(sandbox)
  const pool = createPool({ url: config.postgres.url, schema, name: 'roll', log })
  try {
    const now = Date.now()
    await fill(pool, { ids, now, signal })
    const waits: number[] = []
    let rolling = true
    const [beganAt, cpu, machineSeconds] = [performance.now(), process.cpuUsage(), startMachineWatch()]
    const batches = (async () => {
      while (rolling) {
        const begunAt = performance.now()
        // Of the leaving week, of this week, and with a wrong clock
        await takeIds(pool, [newEventId(now), newEventId(now + 4 * weekMs), newEventId(now + 20 * weekMs)])
        waits.push(performance.now() - begunAt)
      }
    })()
    const { lockedMs } = await maintainInboxAt(pool, now + 4 * weekMs).finally(() => (rolling = false))
    await batches
    const seconds = (performance.now() - beganAt) / 1_000
    const { user, system } = process.cpuUsage(cpu)
    waits.sort((a, b) => a - b)
    return {
      perSecond: ids / seconds,
      cpuPerEvent: (user + system) / 1e6 / ids,
      machineCpuPerEvent: machineSeconds() / ids,
      figures: {
        'longest batch ms': waits.at(-1) ?? 0,
        'median batch ms': waits[Math.floor(waits.length / 2)] ?? 0,
        'locked ms': lockedMs ?? 0,
        batches: waits.length,
      },
    }
  } finally {
    await pool.end()
  }
}

/** Ids of this week, in order; every hundredth was taken late, and as many have no time. */
async function fill(
  pool: Pool,
  { ids, now, signal }: { ids: number; now: number; signal: AbortSignal },
): Promise<void> {
  const begin = newEventId(now).slice(0, 13)
  for (let from = 0; from < ids; from += perStatement) {
    signal.throwIfAborted()
    await pool.query(
      `insert into inbox select (case n % 100 when 1 then 'ffffffff-ffff' else $1 end || '-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
         to_timestamp($2 / 1000.0) + case when n % 100 < 2 then interval '4 weeks' else interval '0' end
       from generate_series($3::int, $4::int) n`,
      [begin, now, from + 1, Math.min(from + perStatement, ids)],
    )
  }
}
