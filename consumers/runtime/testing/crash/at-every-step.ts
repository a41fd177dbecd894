import { loadConfig } from '../../../../infra/config.ts'
import { describeError, TallyError } from '../../../../infra/errors.ts'
import { waitUntil } from '../../../../infra/testing/wait-until.ts'
import { newEventId } from '../../../../schemas/event-id.ts'
import { checkBooks } from './books.ts'
import { describeCrashes, everyStep } from './plan.ts'
import type { CrashPlan, CrashPoint, PassedStep } from './plan.ts'
import { forkVictim } from './process.ts'
import { readPublications } from './publications.ts'
import type { Publication } from './publications.ts'
import { loadDefinition, startReplica } from './replica.ts'
import { watchSettling } from './settled.ts'
import type { Published, TestBench } from '../test-bench.ts'

export interface CrashTrial {
  /** With the consumer's tables. Nobody else may publish to its topics while the trial runs. */
  bench: TestBench
  /** Path of the module whose default export makes the consumer's definition, as `consumers/<name>/consumer.ts` does. */
  consumer: string
  /** What each try begins with: events of orders no try had before. */
  events(): readonly Published[]
  /** Environment variables of the consumer: `{ TALLY_GATEWAY_URL: … }`. */
  env?: NodeJS.ProcessEnv
  /** @default everyStep() */
  plan?: CrashPlan
}

export interface CrashOutcome {
  /** For people: `before ledger_move; then after send, passing 2`. */
  readonly crash: string
  /** The crashes in a row that were tried; none in the first outcome. */
  readonly crashes: readonly CrashPoint[]
  /** How many of them happened: a life may come to its end in good order and never to that step. */
  readonly deaths: number
  /** The steps of the last life that came to its end. */
  readonly steps: readonly PassedStep[]
  readonly events: readonly Required<Published>[]
  /** What the consumer published because of them, each event once. */
  readonly published: readonly Publication[]
  /** How many of those were published more than once. */
  readonly repeats: number
}

/** For machines that do much else. */
const patience = { withinMs: 60_000 }

/**
 * Kills a consumer wherever it can be killed and looks at what comes of it.
 *
 * The first outcome is an undisturbed life in a process of its own. It shows which steps there are (`crash-steps.ts`), so
 * that a statement somebody adds is a crash point by itself. Then, for each try of the plan, new events are published, the
 * consumer is started in a process that kills itself with SIGKILL at that step, and when it is dead an undisturbed replica
 * takes over. An outcome is given when everything is settled and the books are right (`crash-books.ts`). What the consumer's
 * own tables and the outside world must look like then, you check:
 *
 *     for await (const { crash, events } of crashAtEveryStep({ bench, consumer, events: newOrders })) {
 *       expect({ crash, mails: await mailsOf(events) }).toEqual({ crash, mails: ['received', 'shipped'] })
 *     }
 *
 * @throws TallyError INVARIANT naming the crash, if the books are wrong, something never settles or a process fails
 */
export async function* crashAtEveryStep({
  bench,
  consumer,
  events,
  env = {},
  plan = everyStep(),
}: CrashTrial): AsyncGenerator<CrashOutcome> {
  const processEnv = { ...bench.sandbox.env, ...env }
  const config = loadConfig(processEnv)
  const definition = await loadDefinition(consumer, config)
  await using settling = await watchSettling(bench, definition)
  await using reader = await readPublications(bench, definition.group)
  const publications: Publication[] = []
  let lives = 0
  const fork = () => forkVictim(consumer, `victim-${++lives}`, processEnv)
  let victim = fork()

  /** @returns the steps the replica passed; undefined if it killed itself */
  async function live(crash?: CrashPoint): Promise<PassedStep[] | undefined> {
    using living = victim
    victim = fork() // Loads meanwhile
    living.start(crash)
    await waitUntil('dead or done', async () => !living.alive || (await settling.settled()), patience)
    living.stop()
    return await living.ended
  }

  async function takeOver(): Promise<void> {
    const { codec, sandbox } = bench
    const name = `heir-${++lives}`
    let dead = false
    const died = () => void (dead = true)
    const heir = await startReplica({ definition, config, codec, log: sandbox.log, name, died })
    try {
      await waitUntil('dead, or everything settled', async () => dead || (await settling.settled()), patience)
    } finally {
      await heir.stop()
    }
    if (dead) await takeOver()
  }

  async function attempt(crashes: readonly CrashPoint[]): Promise<CrashOutcome> {
    const given = events().map((event) => ({ id: newEventId(), ...event }))
    await bench.publish(given)
    const ends = []
    for (const crash of crashes.length > 0 ? crashes : [undefined]) {
      // Deaths in a row would make events suspect that have done nothing: that has tests of its own
      if (ends.length > 0)
        await bench.pool.query('update lane_state set starts = 0, suspect = null, suspect_inputs = 0')
      ends.push(await live(crash))
    }
    const steps = ends.findLast((passed) => passed !== undefined) ?? []
    if (ends.at(-1) === undefined) await takeOver()
    const fresh = await reader.fresh()
    publications.push(...fresh)
    await checkBooks(bench, publications)
    const published = [...new Map(fresh.map((event) => [event.id, event])).values()]
    const deaths = ends.filter((passed) => passed === undefined).length
    const repeats = fresh.length - published.length
    return { crash: describeCrashes(crashes), crashes, deaths, steps, events: given, published, repeats }
  }

  try {
    const undisturbed = await attempt([])
    yield undisturbed
    for (const crashes of plan(undisturbed.steps)) {
      yield await attempt(crashes).catch((error: unknown) => {
        throw new TallyError('INVARIANT', `${describeCrashes(crashes)}: ${describeError(error)}`, { cause: error })
      })
    }
  } finally {
    victim[Symbol.dispose]()
  }
}
