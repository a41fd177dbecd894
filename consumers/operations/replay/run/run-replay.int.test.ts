import { describe, expect, test } from '@jest/globals'
import { beginFirst, generationTable } from '../../../../infra/topic-generations/generation-table.ts'
import { inTransaction } from '../../../../infra/postgres/transaction.ts'
import { waitUntil } from '../../../../infra/testing/wait-until.ts'
import { ledgerSums } from '../../../runtime/testing/observe.ts'
import { countTable, orders, tallyConsumer } from '../../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../../runtime/testing/test-bench.ts'
import type { ReplayContext } from '../mode.ts'
import type { Plan } from '../plan.ts'
import { beginRun, insertReplay, readProgress, readReplay, saveAdvance } from './replay-table.ts'
import { resumeReplay, startReplay } from './run-replay.ts'
import { cancelReplay, listReplays, pauseReplay, showReplay, undoReplay } from './control-replay.ts'
import { conditionOf, tryLockTarget } from './target-lock.ts'
import { openReplayFrame } from '../testing/replay-frame.ts'

const group = 'tester'
const by = { actor: 'ada', why: 'a test' }

/** A group that has taken `count` orders, and a replay of all of them. */
async function open(count: number, options: { running?: boolean } = {}) {
  const bench = await openTestBench(group, countTable)
  const replica = await bench.replica(tallyConsumer(group))
  await bench.publish(orders(count))
  await bench.settled(['orders'])
  if (options.running === false) await replica.stop()
  const frame = await openReplayFrame(bench, { ...tallyConsumer(group), effects: 'none' as const })
  const { context } = frame
  return {
    bench,
    context,
    plan: await frame.plan(['orders']),
    reprocessing: await frame.plan(['orders'], { mode: 'reprocess' }),
    state: async (id: number) => {
      const row = await readReplay(context.pool, id)
      return row && conditionOf(row)
    },
    async [Symbol.asyncDispose]() {
      await frame[Symbol.asyncDispose]()
      await bench[Symbol.asyncDispose]()
    },
  }
}

/** Starts a replay and waits until it has begun. */
async function begun(context: ReplayContext, plan: Plan, options = {}, signal?: AbortSignal) {
  const { promise, resolve } = Promise.withResolvers<number>()
  const end = startReplay(context, plan, options, { ...by, signal, onBegin: resolve })
  return { end, id: await Promise.race([promise, end.then(({ id }) => id)]) }
}

const movedBack = async (context: ReplayContext): Promise<number> =>
  (
    await context.pool.query<{ lanes: number }>(
      'select count(distinct partition) as lanes from ledger l where replay is not null and epoch = (select max(epoch) from ledger m where m.partition = l.partition)',
    )
  ).rows[0]!.lanes

describe('redelivering through the frame', () => {
  test('ends with figures that are kept with who, why and where the group stood', async () => {
    await using world = await open(30)
    const { context, plan, bench } = world
    const end = await startReplay(context, plan, {}, by)
    expect(end).toMatchObject({ state: 'done', reason: null, offsets: 30, allOffsets: 30, selected: 30 })
    expect(end.figures).toEqual({ taken: 0, duplicates: 30, ignored: 0, parked: 0 })
    const shown = await showReplay(context, end.id)
    expect(shown).toMatchObject({ ...by, state: 'done', target: group, attended: false, failures: [] })
    expect(shown.partitions.map(({ to, before }) => before === to)).toEqual([true, true, true])
    expect(await ledgerSums(bench)).toMatchObject({ taken: 30, duplicates: 30 })
    expect((await undoReplay(context, end.id)).state).toBe('undone')
    await expect(undoReplay(context, end.id)).rejects.toThrow('undone already')
    expect((await listReplays(context.pool)).map(({ id }) => id)).toEqual([end.id])
  })

  test('paused it puts the group back and says how to go on; resumed it ends', async () => {
    await using world = await open(20, { running: false })
    const { context, plan, bench } = world
    const { id, end } = await begun(context, plan)
    await waitUntil('the group is moved back', async () => (await movedBack(context)) === 3)
    expect(await pauseReplay(context, id)).toMatchObject({
      state: 'paused',
      reason: 'requested by an operator',
      endedAt: null,
    })
    expect(await end).toMatchObject({ id, state: 'paused', because: 'asked' })
    expect(await movedBack(context)).toBe(0)
    expect(await pauseReplay(context, id)).toMatchObject({ state: 'paused' })
    await expect(startReplay(context, plan, {}, by)).rejects.toThrow(`replay ${id} of ${group} has been paused`)
    await expect(undoReplay(context, id)).rejects.toThrow('has not ended')
    await bench.replica(tallyConsumer(group))
    expect(await resumeReplay(context, id, {})).toMatchObject({ state: 'done', figures: { duplicates: 20 } })
    await expect(resumeReplay(context, id, {})).rejects.toThrow(`replay ${id} is done`)
    await expect(pauseReplay(context, id)).rejects.toThrow('nothing to pause')
  })

  test('stopped by a signal it is paused; cancelled it is ended, and another may begin', async () => {
    await using world = await open(20, { running: false })
    const { context, plan } = world
    const signal = new AbortController()
    const { id, end } = await begun(context, plan, {}, signal.signal)
    await waitUntil('the group is moved back', async () => (await movedBack(context)) === 3)
    signal.abort()
    expect(await end).toMatchObject({ state: 'paused', because: 'signal' })
    expect(await cancelReplay(context, id)).toMatchObject({ state: 'cancelled' })
    const next = await begun(context, plan)
    await waitUntil('the group is moved back again', async () => (await movedBack(context)) === 3)
    await expect(startReplay(context, plan, {}, by)).rejects.toThrow(`replay ${next.id} of ${group} is running`)
    expect(await cancelReplay(context, next.id)).toMatchObject({ state: 'cancelled' })
    expect(await next.end).toMatchObject({ state: 'cancelled', because: 'asked' })
    expect(await movedBack(context)).toBe(0)
    await expect(cancelReplay(context, next.id)).resolves.toMatchObject({ state: 'cancelled' })
  })
})

describe('a runner that died', () => {
  test('is seen, what it still tries is refused, and the replay goes on', async () => {
    await using world = await open(12)
    const { context, plan, state } = world
    const { pool } = context
    const asked = { plan, target: group, options: {}, actor: 'ada', why: undefined, runner: 'gone', before: new Map() }
    const id = (await inTransaction(pool, (tx) => insertReplay(tx, asked)))!
    expect(await state(id)).toBe('died')
    {
      await using _ = await tryLockTarget(pool, group)
      expect(await state(id)).toBe('running')
    }
    await expect(startReplay(context, plan, {}, by)).rejects.toThrow(`replay ${id} of ${group} has died (gone)`)
    expect(await resumeReplay(context, id, {})).toMatchObject({ id, state: 'done', figures: { duplicates: 12 } })
    expect(await saveAdvance(pool, { id, run: 1 }, [], { duplicates: 12 })).toBe(false)
  })

  test('whose replay was resumed elsewhere can save nothing any more, and leaves it to the other', async () => {
    await using world = await open(30)
    const { context, reprocessing } = world
    const { id, end } = await begun(context, reprocessing, { rate: 5 })
    const outcome = end.catch((error: unknown) => error)
    const { pool } = context
    await waitUntil('it has got somewhere', async () => (await readProgress(pool, id)).selected > 0)
    const run = await beginRun(pool, id, 'another', { state: 'running', options: {} })
    expect(await outcome).toMatchObject({ code: 'FENCED' })
    const { selected } = await readProgress(pool, id)
    expect(selected).toBeLessThan(30)
    expect(await readReplay(pool, id)).toMatchObject({ state: 'running', run, runner: 'another', attended: false })
    expect(await resumeReplay(context, id, { rate: 1_000 })).toMatchObject({ state: 'done', figures: { handled: 30 } })
  })

  test('stops by itself when it loses its hold on the target', async () => {
    await using world = await open(30)
    const { context, reprocessing, bench } = world
    const { id, end } = await begun(context, reprocessing, { rate: 5 })
    await waitUntil('it has got somewhere', async () => (await readProgress(context.pool, id)).selected > 0)
    const { rowCount } = await bench.pool.query(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = $1::regclass::oid`,
      [`${bench.config.namespace}replay.replay`],
    )
    expect(rowCount).toBe(1)
    expect(await end).toMatchObject({ id, state: 'stopped', because: 'failure' })
    expect(await resumeReplay(context, id, { rate: 1_000 })).toMatchObject({ state: 'done', figures: { handled: 30 } })
  })

  test('can be paused or cancelled by others', async () => {
    await using world = await open(3)
    const { context, plan, state } = world
    const asked = { plan, target: group, options: {}, actor: 'ada', why: undefined, runner: 'gone', before: new Map() }
    const id = (await inTransaction(context.pool, (tx) => insertReplay(tx, asked)))!
    expect(await pauseReplay(context, id)).toMatchObject({ state: 'paused', reason: 'its runner had died' })
    await beginRun(context.pool, id, 'gone', { state: 'running', options: {} })
    expect(await state(id)).toBe('died')
    expect(await cancelReplay(context, id)).toMatchObject({ state: 'cancelled' })
  })
})

describe('limits', () => {
  test('--max ends exactly there, resumed it takes the rest, and --rate is held', async () => {
    await using world = await open(60)
    const { context, reprocessing } = world
    const first = await startReplay(context, reprocessing, { max: 25, rate: 100 }, by)
    expect(first).toMatchObject({ state: 'paused', because: 'limit', selected: 25, figures: { handled: 25 } })
    const startedAt = performance.now()
    const last = await resumeReplay(context, first.id, {})
    expect(performance.now() - startedAt).toBeGreaterThan(250) // 35 events, 10 a step, the last of which needs no waiting
    expect(last).toMatchObject({ state: 'done', selected: 60, figures: { handled: 60 } })
    expect((await showReplay(context, first.id)).options).toEqual({ rate: 100 })
  })

  test('--until pauses; what is past is refused', async () => {
    await using world = await open(30)
    const { context, reprocessing } = world
    const end = await startReplay(context, reprocessing, { until: Date.now() + 2_000, rate: 5 }, by)
    expect(end).toMatchObject({ state: 'paused', because: 'limit' })
    expect(end.selected).toBeLessThan(30)
    await expect(resumeReplay(context, end.id, { until: Date.now() - 1 })).rejects.toThrow('that is past')
  })

  test('stops when more new events wait than it may keep waiting', async () => {
    await using world = await open(30, { running: false })
    const { context, plan, bench } = world
    await bench.publish(orders(8))
    const end = await startReplay(context, plan, { maxLag: 7 }, by)
    expect(end).toMatchObject({
      state: 'stopped',
      because: 'lag',
      reason: expect.stringContaining('8 new events wait'),
    })
    expect(await movedBack(context)).toBe(0)
  })
})

test('every reason not to run is told, and nothing is moved', async () => {
  await using world = await open(5, { running: false })
  const { context, plan, bench } = world
  const { partitions } = plan
  await bench.publish(orders(40)) // Nobody takes them: in each partition there is more than the group has read
  const lossy = { ...plan, partitions: partitions.map((range) => ({ ...range, lost: 3, to: range.to + 1 })) }
  const refusal = startReplay(context, lossy, { rate: 5 }, by)
  await expect(refusal).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
  await expect(refusal).rejects.toThrow(/rate does not apply(.|\n)*has read orders/)
  await expect(refusal).rejects.toThrow('retention has deleted 3 offsets')
  await expect(startReplay(context, lossy, { rate: 5, acceptLost: true }, by)).rejects.not.toThrow('retention')
  expect(await listReplays(context.pool)).toEqual([])
})

test('a process that read the topics before they were re-created begins no replay', async () => {
  await using world = await open(5)
  const { context, plan, bench } = world
  const { namespace, pool } = bench.sandbox
  await beginFirst(pool, namespace, bench.config.partitions)
  await pool.query(
    `insert into ${generationTable(namespace)} (number, partitions, actor, switched_at) values (2, 5, 'ada', now())`,
  )
  await expect(startReplay(context, plan, {}, by)).rejects.toThrow('the topics were re-created with 5 partitions')
  expect(await listReplays(context.pool)).toEqual([])
})
