import { setTimeout as delay } from 'node:timers/promises'
import type { Admin } from 'kafkajs'
import { TallyError } from '../../../infra/errors.ts'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { waitUntil } from '../../../infra/testing/wait-until.ts'
import type { Ground, Repeat } from '../benchmark.ts'
import { prepareTopics } from '../fill-orders.ts'
import { cpuSecondsOf } from '../start-service.ts'
import type { Service } from '../start-service.ts'
import { startMachineWatch } from '../watch.ts'
import type { MeasuredGroup, Effects, Prepare } from './measured-groups.ts'
import { readOwners, waitForOwners } from './lane-owners.ts'
import { readOutput } from './read-output.ts'
import type { Output } from './read-output.ts'
import { longestPause } from './longest-pause.ts'
import { ordersPerSecond, publishSteadily } from './steady-orders.ts'

const replicasAtFirst = 3
const input = 'orders'
const output = 'payments'

/** A change of the group while orders flow. */
export interface Step {
  readonly name: string
  /** Pause before the change. */
  readonly afterSeconds: number
  /** Makes the change. Its consequences are measured up to the next step. */
  act(replicas: Service[], group: MeasuredGroup): Promise<unknown>
}

/** The effect of a step on the lanes. */
export interface Passage {
  readonly step: string
  /** Pauses in milliseconds of the lanes that changed their owner, and of the others. */
  readonly moved: readonly number[]
  readonly stayed: readonly number[]
}

export interface Outcome {
  readonly lost: number
  readonly 'took effect again': number
  readonly 'never published': number
  readonly 'published again': number
}

export interface GroupRun {
  readonly passages: readonly Passage[]
  readonly outcome: Outcome
  readonly repeat: Repeat
}

/** Sends orders at a steady rate to three replicas and measures the pauses of the lanes after each step. */
export async function runGroup(ground: Ground, prepare: Prepare, steps: readonly Step[]): Promise<GroupRun> {
  const { sandbox, signal } = ground
  const codec = await prepareTopics(sandbox)
  const group = await prepare(ground, codec)
  const replicas: Service[] = []
  try {
    await Promise.all(Array.from({ length: replicasAtFirst }, () => startReplica(replicas, group)))
    return await withAdmin(sandbox.kafka, async (admin) => {
      const topic = `${sandbox.namespace}${input}`
      const shared = { lanes: sandbox.config.partitions, replicas: replicasAtFirst }
      await waitForOwners(admin, group.id, topic, shared)
      const [startedAt, machineSeconds] = [performance.now(), startMachineWatch()]
      const publishing = publishSteadily({ ...sandbox, signal }, codec, ground.events)
      const owners = () => readOwners(admin, group.id, topic)
      const moments = await takeSteps(steps, { owners, act: (step) => step.act(replicas, group), publishing })
      const events = await publishing
      await settled(ground, group, admin, events)
      const perSecond = events / ((performance.now() - startedAt) / 1_000)
      const published = await readOutput(sandbox, output, signal)
      return {
        passages: moments.map((moment) => passageOf(moment, published)),
        outcome: outcomeOf(await group.effects(), events, published),
        repeat: {
          perSecond,
          cpuPerEvent: cpuSecondsOf(replicas) / events,
          machineCpuPerEvent: machineSeconds() / events,
        },
      }
    })
  } finally {
    await Promise.all(replicas.map((replica) => replica[Symbol.asyncDispose]()))
    await group[Symbol.asyncDispose]?.()
  }
}

export async function startReplica(replicas: Service[], group: MeasuredGroup): Promise<void> {
  replicas.push(await group.startReplica())
}

type Owners = ReadonlyMap<number, string>

interface Moment {
  step: string
  from: number
  to: number
  before: Owners
  after: Owners
}

async function takeSteps(
  steps: readonly Step[],
  course: { owners(): Promise<Owners>; act(step: Step): Promise<unknown>; publishing: Promise<number> },
): Promise<Moment[]> {
  const moments: Moment[] = []
  for (const [index, step] of steps.entries()) {
    if (index === 0) await delay(step.afterSeconds * 1_000)
    const [before, from] = [await course.owners(), Date.now()]
    await course.act(step)
    const next = steps[index + 1]
    await (next ? delay(next.afterSeconds * 1_000) : course.publishing)
    moments.push({ step: step.name, from, to: Date.now(), before, after: await course.owners() })
  }
  return moments
}

/** Waits until every order took effect and nothing more is published. */
async function settled({ sandbox }: Ground, group: MeasuredGroup, admin: Admin, events: number): Promise<void> {
  const all = async () => (await group.effects()).orders === events
  await waitUntil('each order took effect', all, { withinMs: 60_000, everyMs: 200 })
  let last = -1
  const quiet = async () => {
    const offsets = await admin.fetchTopicOffsets(`${sandbox.namespace}${output}`)
    const [before, now] = [last, offsets.reduce((sum, { high }) => sum + Number(high), 0)]
    last = now
    return before === now
  }
  await waitUntil('nothing more is published', quiet, { everyMs: 1_000 })
}

function passageOf({ step, from, to, before, after }: Moment, { times }: Output): Passage {
  const pause = (lane: number) => longestPause(times.get(lane) ?? [], from, to)
  const lanes = [...times.keys()]
  const [moved, stayed] = [true, false].map((changed) =>
    lanes.filter((lane) => (before.get(lane) !== after.get(lane)) === changed).map(pause),
  ) as [number[], number[]]
  return { step, moved, stayed }
}

const outcomeOf = ({ orders, times }: Effects, events: number, { records, keys }: Output): Outcome => ({
  lost: events - orders,
  'took effect again': times - orders,
  'never published': events - keys,
  'published again': records - keys,
})

/** @throws TallyError INVARIANT unless each order took effect once and was published. Repeated events are allowed */
export function assertExactlyOnce(outcome: Outcome): void {
  for (const what of ['lost', 'took effect again', 'never published'] as const)
    if (outcome[what] !== 0) throw new TallyError('INVARIANT', `${outcome[what]} orders ${what}`)
}

export const orders = (seconds: number): number => seconds * ordersPerSecond
