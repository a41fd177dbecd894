import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createHistogram } from 'node:perf_hooks'
import { Publisher } from '../../../producers/direct/publisher.ts'
import { generateEvents } from '../../../producers/sample-data/event-generator.ts'
import { topicName, topicOf } from '../../../schemas/topics.ts'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import type { Benchmark, Ground, Repeat } from '../benchmark.ts'
import { prepareTopics, seed } from '../fill-orders.ts'
import { assertEffects, prepareOurTables } from '../hop/prepare.ts'
import { script } from '../run-program.ts'
import { startProgram } from '../start-service.ts'
import { startMachineWatch } from '../watch.ts'

/** After this time without events a member of a group waits as long as an idle one. */
const pauseMs = 6_000
/** Their times do not count: code is compiled, connections are opened. */
const warming = 3

export const alone: Benchmark = {
  name: 'alone',
  what: 'One event through one hop while nothing else happens: from before it is sent until what it led to is read.',
  unit: 'events/s',
  events: { usual: 50, quick: 2 },
  contenders: [{ name: 'tally', setup: `the consumer of hop, 12 lanes; an event every ${pauseMs / 1_000} s`, measure }],
  bars: [{ figure: 'p50 ms', atMost: 10 }],
}

async function measure(ground: Ground): Promise<Repeat> {
  const { sandbox, events, signal } = ground
  const { kafka, namespace } = sandbox
  const codec = await prepareTopics(sandbox)
  const schema = await prepareOurTables(sandbox)
  const all = warming + events
  const program = script(join(import.meta.dirname, '../hop/ours.ts'), { events: all }, ground)
  await using replica = await startProgram(ground, 'hop', program)
  await using output = await readOutput(sandbox)
  const publisher = await Publisher.connect({ kafka, namespace, codec })
  const micros = createHistogram()
  const [startedAt, cpuBefore, machineSeconds] = [performance.now(), replica.cpuSeconds(), startMachineWatch()]
  let sent = 0
  for (const event of generateEvents('OrderPlaced', { count: all, seed })) {
    await delay(pauseMs, undefined, { signal })
    const arrived = output.next()
    const began = performance.now()
    await Promise.all([publisher.publish([event]), arrived])
    if (sent++ >= warming) micros.record(Math.round((performance.now() - began) * 1_000))
  }
  const [seconds, cpu, machine] = [
    (performance.now() - startedAt) / 1_000,
    replica.cpuSeconds() - cpuBefore,
    machineSeconds(),
  ]
  await publisher.stop()
  await assertEffects({ ...ground, events: all }, schema)
  return {
    perSecond: all / seconds,
    cpuPerEvent: cpu / all,
    machineCpuPerEvent: machine / all,
    figures: {
      'p50 ms': micros.percentile(50) / 1_000,
      'p99 ms': micros.percentile(99) / 1_000,
    },
  }
}

/** Reads the hop's output. `next` resolves when the next event is read. */
async function readOutput({ kafka, namespace }: Sandbox): Promise<AsyncDisposable & { next(): Promise<void> }> {
  let arrived = Promise.withResolvers<void>()
  const reader = kafka.consumer({ groupId: `${namespace}alone`, maxWaitTimeInMs: 1_000 })
  const joined = new Promise((done) => reader.on(reader.events.GROUP_JOIN, done))
  await reader.connect()
  await reader.subscribe({ topics: [topicName(namespace, topicOf('PaymentAuthorized'))], fromBeginning: true })
  await reader.run({ eachBatch: async () => arrived.resolve() })
  await joined
  return {
    next: () => (arrived = Promise.withResolvers()).promise,
    [Symbol.asyncDispose]: () => reader.disconnect(),
  }
}
