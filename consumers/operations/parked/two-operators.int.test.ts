import { expect, test } from '@jest/globals'
import { orderPlaced, tallyConsumer } from '../../runtime/testing/tally-consumer.ts'
import { countTable } from '../../runtime/testing/tally-consumer.ts'
import { openTestBench } from '../../runtime/testing/test-bench.ts'
import type { TestBench } from '../../runtime/testing/test-bench.ts'
import { readAudit } from '../../runtime/tables/audit.ts'
import { listParked, readParked } from '../../runtime/tables/parked-list.ts'
import { dropChosen } from './drop-parked.ts'
import { editParked, encodeEdit } from './edit-parked.ts'
import { lastActs } from './last-acts.ts'
import { writeEdits } from './mend-parked.ts'
import type { PreparedEdit } from './mend-parked.ts'

const group = 'tester'
const signal = new AbortController().signal
const by = (actor: string) => ({ actor, why: `${actor} was told so` })

/** A key with one parked event, which waits for an operator. */
async function parkOne(bench: TestBench): Promise<number> {
  await bench.publish([orderPlaced('o-1', 'throws')])
  const replica = await bench.replica(tallyConsumer(group))
  await bench.settled(['orders'])
  await replica.stop()
  const [entry] = await listParked(bench.pool, {}, { limit: 10 })
  return entry!.id
}
const open = () => openTestBench(group, countTable, 3, { TALLY_RETRY_LIMIT: '0' })
const actionsOn = async ({ pool }: TestBench, id: number) =>
  (await readAudit(pool, [id])).map(({ action, actor }) => `${actor} ${action}`)

async function edited(bench: TestBench, id: number, customer: string): Promise<PreparedEdit> {
  const row = (await readParked(bench.pool, id))!
  const { type, data } = orderPlaced('o-1', customer)
  const changes = ['customerId']
  return {
    group: { name: group, pool: bench.pool },
    id,
    edited: encodeEdit(row, { type, data }, bench.codec, 3),
    type,
    changes,
  }
}

test('of two who drop an event, one does; the other one is told who, and the audit has one act', async () => {
  await using bench = await open()
  const id = await parkOne(bench)
  const chosen = [{ group: { name: group, pool: bench.pool }, selection: { keys: ['o-1'] } }]
  const both = await Promise.all(['ann', 'bob'].map((actor) => dropChosen(chosen, by(actor), { signal })))
  expect(both.flat()).toEqual([{ group, events: 1 }])
  const winner = both[0]!.length > 0 ? 'ann' : 'bob'
  expect(await actionsOn(bench, id)).toEqual([`${winner} DROPPED`])
  const words = new RegExp(`^tester/${id} \\(key o-1\\) was dropped at .* by ${winner}: ${winner} was told so$`)
  expect(await lastActs(chosen)).toEqual([expect.stringMatching(words)])
  expect(await lastActs([{ ...chosen[0]!, selection: { ids: [id] } }])).toEqual([expect.stringMatching(words)])
  expect(await lastActs([{ ...chosen[0]!, selection: {} }])).toEqual([])
})

test('of two who edit an event, one does; the other one is told who, and may look again', async () => {
  await using bench = await open()
  const id = await parkOne(bench)
  const [first, second] = [await edited(bench, id, 'from ann'), await edited(bench, id, 'from bob')]
  const both = await Promise.all([
    writeEdits([first], by('ann'), { redrive: false, signal }),
    writeEdits([second], by('bob'), { redrive: false, signal }),
  ])
  const outcomes = both.flatMap((each) => each.outcomes)
  const won = outcomes.findIndex(({ outcome }) => outcome === 'edited')
  const winner = ['ann', 'bob'][won]!
  expect(outcomes[1 - won]).toMatchObject({
    outcome: 'failed',
    error: expect.stringMatching(new RegExp(`look at it again; tester/${id} .* was edited at .* by ${winner}`)),
  })
  const { value } = (await readParked(bench.pool, id))!
  expect(value).toEqual([first, second][won]!.edited.value)
  expect(await actionsOn(bench, id)).toEqual([`${winner} EDITED`])
  const again = await edited(bench, id, 'from both')
  await editParked(bench.pool, again.edited, by('bob'), { redrive: false })
  expect(await actionsOn(bench, id)).toEqual([`${winner} EDITED`, 'bob EDITED']) // Both took effect, in this order
})

test('who edits what another one drops is told so, or drops what was edited: never an effect without its act', async () => {
  await using bench = await open()
  const id = await parkOne(bench)
  const edit = await edited(bench, id, 'from ann')
  const chosen = [{ group: edit.group, selection: { ids: [id] } }]
  const [{ outcomes }] = await Promise.all([
    writeEdits([edit], by('ann'), { redrive: false, signal }),
    dropChosen(chosen, by('bob'), { signal }),
  ])
  const first = outcomes[0]?.outcome === 'edited' ? ['ann EDITED'] : []
  expect(await actionsOn(bench, id)).toEqual([...first, 'bob DROPPED'])
  if (first.length === 0) expect(outcomes[0]?.error).toMatch(/was dropped at .* by bob/)
  expect(await readParked(bench.pool, id)).toBeUndefined()
})
