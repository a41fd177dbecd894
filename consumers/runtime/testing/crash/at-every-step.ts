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
  /** A bench with the consumer's tables. Nothing else may publish to its topics during the trial. */
  bench: TestBench
  /**
   * Path of the module whose default export creates the consumer's definition, as in `consumers/<name>/consumer.ts`.
   */
  consumer: string
  /** Returns the initial events of a try, for orders that no earlier try used. */
  events(): readonly Published[]
  /** Environment variables of the consumer: `{ TALLY_GATEWAY_URL: … }`. */
  env?: NodeJS.ProcessEnv
  /** @default everyStep() */
  plan?: CrashPlan
}

export interface CrashOutcome {
  /** Readable form: `before ledger_move; then after send, passing 2`. */
  readonly crash: string
  /** The consecutive crashes of the try; empty in the first outcome. */
  readonly crashes: readonly CrashPoint[]
  /** How many of them happened; a run may end in an orderly way without reaching the step. */
  readonly deaths: number
  /** The steps of the last run that ended. */
  readonly steps: readonly PassedStep[]
  readonly events: readonly Required<Published>[]
  /** The events the consumer published for them, each once. */
  readonly published: readonly Publication[]
  /** How many of them were published more than once. */
  readonly repeats: number
}

/** Allows for busy machines. */
const patience = { withinMs: 60_000 }

/**
 * Kills a consumer at every step and reports the outcomes.
 *
 * The first outcome is an undisturbed run in a separate process. It finds the steps (`steps.ts`), so a statement added
 * to the code becomes a crash point automatically. Then, for each try of the plan, new events are published, the
 * consumer is started in a process that kills itself with SIGKILL at the step, and after its death an undisturbed
 * replica takes over. An outcome is yielded when everything is settled and the totals agree (`books.ts`). The caller
 * checks the consumer's own tables and the outside world:
 *
 *     for await (const { crash, events } of crashAtEveryStep({ bench, consumer, events: newOrders })) {
 *       expect({ crash, mails: await mailsOf(events) }).toEqual({ crash, mails: ['received', 'shipped'] })
 *     }
 *
 * @throws TallyError INVARIANT naming the crash, if the totals disagree, something never settles or a process fails
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
    victim = fork() // Loads in the meantime
    living.start(crash)
    await waitUntil('dead or done', async () => !living.alive || (await settling.settled()), patience)
    living.stop()
    return await living.ended
  }

  async function takeOver(): Promise<void> {
    const { codec, sandbox } = bench
    const name = `heir-${++lives}`
    const heir = await startReplica({ definition, config, codec, log: sandbox.log, name })
    try {
      await waitUntil('everything settled', () => settling.settled(), patience)
    } finally {
      await heir.stop()
    }
  }

  async function attempt(crashes: readonly CrashPoint[]): Promise<CrashOutcome> {
    const given = events().map((event) => ({ id: newEventId(), ...event }))
    await bench.publish(given)
    const ends = []
    for (const crash of crashes.length > 0 ? crashes : [undefined]) {
      // Consecutive deaths would put innocent events under suspicion; other tests cover that
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
