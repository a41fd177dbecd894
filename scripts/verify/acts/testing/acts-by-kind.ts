import { expect } from '@jest/globals'
import { replaySchema } from '../../../../consumers/operations/replay/replay-schema.ts'
import { withAdmin } from '../../../../infra/kafka/admin.ts'
import { waitUntil } from '../../../../infra/testing/wait-until.ts'
import { orderGenerator } from '../../../../producers/sample-data/order-generator.ts'
import { newOrderOf } from '../../../../producers/direct/api-client.ts'
import { newEventId } from '../../../../schemas/event-id.ts'
import { demoCatalogue } from '../../../../producers/sample-data/demo-catalogue.ts'
import { whyOf } from './act-stack.ts'
import type { ActStack } from './act-stack.ts'

/** Does one act, with commands as an operator would. @param act its name */
export type Act = (stack: ActStack, act: string) => Promise<unknown>

/** Acts by what they do to an event or to a group, each kind with all its acts. */
export const actsByKind: Readonly<Record<string, Readonly<Record<string, Act>>>> = {
  mended: {
    'edit in all': async ({ spoil, edit, ended }, act) => {
      const { record, orderId, json } = await spoil()
      await edit(act, record, json)
      await ended(orderId)
    },
    'edit in one, drop in others': async ({ spoil, edit, drop }, act) => {
      const { record, orderId, json } = await spoil()
      await edit(act, record, json, '--group', 'payment')
      await drop(act, orderId)
    },
    'drop in one, edit in others': async ({ spoil, edit, drop }, act) => {
      const { record, orderId, json } = await spoil()
      await drop(act, orderId, '--group', 'payment')
      await edit(act, record, json)
    },
    'redrive that succeeds': async ({ place, query, at, run, whenParked, ended }) => {
      const refuse = `alter table ${at('order-status', 'order_status')} add constraint refused check (false) not valid`
      await query(refuse)
      let orderId: string
      try {
        orderId = await place()
        await whenParked(orderId, ['order-status'])
      } finally {
        await query(`alter table ${at('order-status', 'order_status')} drop constraint refused`)
      }
      await run('parked', 'redrive', '--key', orderId, '--yes')
      await ended(orderId)
    },
  },
  dropped: {
    'drop in all': async ({ spoil, drop }, act) => drop(act, (await spoil()).orderId),
    'redrive in vain, drop': async ({ spoil, stack, drop }, act) => {
      const { orderId } = await spoil()
      expect((await stack.run('parked', 'redrive', '--key', orderId, '--yes')).exitCode).toBe(1) // It stays unreadable
      await drop(act, orderId)
    },
    'drop of a foreign time': async ({ next, send, encoded, foreignTimes, whenParked, drop, place, ended }, act) => {
      const { data } = next()
      const { orderId } = data as { orderId: string }
      await foreignTimes(true)
      const { partition } = await send(orderId, await encoded(data), 1)
      await whenParked(orderId)
      await drop(act, orderId)
      await ended(await place(partition)) // Alone in its segment, a record of 1970 would be deleted within five minutes
      await foreignTimes(false)
    },
  },
  held: {
    'pause, resume': async ({ run, place, ended }, act) => {
      await run('lanes', 'pause', 'payment', '--why', whyOf(act))
      const orderId = await place()
      await run('lanes', 'resume', 'payment')
      await ended(orderId)
    },
  },
  passed: {
    skip: async ({ run, next, send, encoded }, act) => {
      await run('lanes', 'pause', 'payment', '--why', whyOf(act))
      const { data } = next()
      const { name, partition } = await send((data as { orderId: string }).orderId, await encoded(data))
      await run('lanes', 'skip', `payment/${partition}`, '--offsets', name, '--why', whyOf(act), '--yes')
      await run('lanes', 'resume', 'payment')
    },
    'accept-loss': async ({ run, next, send, encoded, passed, deleteRecords }, act) => {
      const losers = ['payment', 'shipping']
      for (const group of losers) await run('lanes', 'pause', group, '--why', whyOf(act))
      const { data } = next()
      const record = await send((data as { orderId: string }).orderId, await encoded(data))
      for (const group of ['inventory', 'notifications', 'order-status']) await passed(group, record)
      await deleteRecords(record)
      for (const group of losers) {
        await run('lanes', 'accept-loss', `${group}/${record.partition}`, '--why', whyOf(act), '--yes')
        await run('lanes', 'resume', group)
      }
    },
  },
  replayed: {
    redeliver: async (stack, act) => {
      await endOrder(stack)
      succeed(await stack.replayed(act, 'redeliver', ['--group', 'inventory']))
    },
    reprocess: async (stack, act) => {
      await endOrder(stack)
      succeed(await stack.replayed(act, 'reprocess', ['--group', 'notifications']))
    },
    'cancelled redelivery': async (stack, act) => {
      await endOrder(stack)
      // Paused lanes receive nothing again, so it does not end by itself
      await stack.run('lanes', 'pause', 'payment', '--why', whyOf(act))
      await cancelled(stack, { act, mode: 'redeliver', group: 'payment' })
      await stack.run('lanes', 'resume', 'payment')
    },
    'cancelled reprocessing': async (stack, act) => {
      await endOrder(stack)
      await endOrder(stack)
      await cancelled(stack, { act, mode: 'reprocess', group: 'order-status' }, '--rate', '0.5')
    },
  },
  rebuilt: {
    rebuild: (stack, act) => rebuilt(stack, act),
    'rebuild, undo': async (stack, act) => {
      await rebuilt(stack, act)
      await stack.run('replay', 'undo', String((await lastReplay(stack))?.id), '--yes')
    },
  },
  aside: {
    copy: async (acts, act) => {
      const { sandbox } = acts.stack
      await endOrder(acts)
      await withAdmin(sandbox.kafka, async (admin) => {
        const topic = `${sandbox.namespace}trial`
        if (!(await admin.listTopics()).includes(topic))
          await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 2 }] })
      })
      succeed(await acts.replayed(act, 'copy', ['--topic', 'orders', '--to-topic', 'trial']))
    },
    'order cancelled': async ({ api, ended }) => {
      const order = newOrderOf(newApiOrder())
      for (const { sku, name, unitPriceMinor, currency } of articles)
        if (order.lines.some((line) => line.sku === sku))
          await api.putProduct(sku, { name, unitPriceMinor: String(unitPriceMinor), currency })
      const { orderId } = await api.placeOrder(order, newEventId())
      await api.requestCancellation(orderId, 'changed my mind', newEventId())
      await ended(orderId)
    },
  },
  repartitioned: {
    partitions: async ({ run, ordersTopic }, act) => {
      const { partitions } = await ordersTopic()
      await run('partitions', String(partitions === 2 ? 3 : 2), '--yes', '--why', whyOf(act))
    },
  },
}

let apiOrders = 0
const articles = demoCatalogue(1)
const apiOrderAt = orderGenerator(11, articles)
const newApiOrder = () => apiOrderAt(apiOrders++)

const succeed = ({ exitCode, stderr, stdout }: { exitCode: number | null; stderr: string; stdout: string }) => {
  if (exitCode !== 0) throw new Error(`Exit code ${exitCode}\n${stderr}\n${stdout}`)
}

/** Without a new order, a change of the partitions may have left nothing to replay. */
const endOrder = async (stack: ActStack) => stack.ended(await stack.place())

/** Where the topics lack the first events, a rebuild is refused unless the operator accepts that. */
async function rebuilt(stack: ActStack, act: string): Promise<void> {
  await endOrder(stack)
  const { replayed } = stack
  const first = await replayed(act, 'rebuild', ['--group', 'order-status'])
  if (first.exitCode === 0) return
  expect(first.stderr).toContain('--accept-lost')
  succeed(await replayed(act, 'rebuild', ['--group', 'order-status'], ['--accept-lost']))
}

const lastReplay = async ({ query, stack }: ActStack) => {
  const replay = `"${replaySchema(stack.sandbox.namespace)}".replay`
  return (await query<{ id: number; state: string }>(`select id, state from ${replay} order by id desc limit 1`))[0]
}

async function cancelled(
  stack: ActStack,
  { act, mode, group }: { act: string; mode: string; group: string },
  ...options: string[]
): Promise<void> {
  const before = (await lastReplay(stack))?.id ?? 0
  const running = stack.replayed(act, mode, ['--group', group], options)
  const ended = running.then(({ stderr, stdout }) => {
    throw new Error(`the replay ended by itself: ${stderr}${stdout}`)
  })
  const begun = waitUntil('the replay runs', async () => {
    const last = await lastReplay(stack)
    return last && last.id > before ? last.id : undefined
  })
  const id = await Promise.race([begun, ended])
  await stack.run('replay', 'cancel', String(id), '--yes')
  await running
  expect((await lastReplay(stack))?.state).toBe('cancelled')
}
