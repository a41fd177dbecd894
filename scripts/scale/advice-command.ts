import { randomInt } from 'node:crypto'
import { access, constants, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { loadConfig } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import type { CommandFrame } from '../cli/command.ts'
import { printJson, say } from '../cli/command.ts'
import { chooseGroups, openForPerson } from '../../consumers/operations/lanes/read-health.ts'
import { refuseForeignStack } from '../stack/foreign-stack.ts'
import { configOf } from '../stack/probe-stack.ts'
import { demoLoadSeconds } from './advice-options.ts'
import type { AdviceOptions } from './advice-options.ts'
import { loadCurve, produceLoad } from './demo-load.ts'
import { observe } from '../../consumers/operations/replicas/advice/observe.ts'
import type { ObserveOptions } from '../../consumers/operations/replicas/advice/observe.ts'
import { plotAuto } from './plot-auto.ts'
import { adviceJson, decisionJson, decisionText, printAdvice } from './print-advice.ts'
import { runAuto } from './run-auto.ts'
import type { Decided } from './run-auto.ts'
import { requireStack } from '../../consumers/operations/replicas/running-stack.ts'
import { serveAdvice } from './serve-advice.ts'

export type Options = AdviceOptions & { json?: boolean; timeout: number }

/** How long a look takes at most, seconds. Rates over a shorter time differ by chance. */
const lookSeconds = 2

/** Carries out `--advise` and `--auto`. @throws TallyError USAGE, UNREACHABLE */
export async function adviseOrAct(consumers: string[], options: Options, { signal }: CommandFrame): Promise<void> {
  const { dataDir } = loadConfig()
  refuseForeignStack(dataDir)
  const named = consumers.find((text) => text.includes('='))
  if (named !== undefined)
    throw new TallyError('USAGE', `"${named}" is a number of replicas: name consumers only, the number is found`)
  if (options.plot !== undefined) await assertFolder(options.plot)
  const stack = await requireStack(dataDir)
  const config = configOf(stack)
  await chooseGroups(config, consumers)
  const pool = openForPerson(config)
  const goals = { lagSeconds: options.lag, drainSeconds: options.drain, min: options.min, max: options.max }
  const overMs = 1_000 * Math.min(lookSeconds, options.every)
  const looking = { ...{ config, pool, consumers, goals, overMs }, signal }
  try {
    if (options.auto) return await auto(looking, options)
    if (options.serve !== undefined)
      return await serve(looking, options.serve === true ? config.ports.advice : options.serve, options)
    const advices = (await observe({ ...looking, stack })).map(({ advice }) => advice)
    if (options.json) printJson({ consumers: advices.map(adviceJson) })
    else printAdvice(advices)
  } finally {
    await pool.end()
  }
}

type Looking = Omit<ObserveOptions, 'stack'>

const serve = (looking: Looking, port: number, { every, json }: Options): Promise<void> =>
  serveAdvice({
    ...{ ...looking, port, everyMs: 1_000 * every },
    onListening: (url) => {
      if (json) printJson({ url })
      say(`${url}/metrics is for Prometheus, ${url}/ is JSON; Ctrl-C ends it`)
    },
    onTrouble: say,
  })

async function auto(looking: Looking, options: Options): Promise<void> {
  const { config, signal } = looking
  const seed = options.seed ?? randomInt(2 ** 31)
  const peak = options.demoLoad
  const forSeconds = options.for ?? (peak === undefined ? undefined : demoLoadSeconds)
  const forMs = forSeconds === undefined ? undefined : 1_000 * forSeconds
  const decided: Decided[] = []
  const ending = new AbortController() // The load ends with what acts on it
  const until = AbortSignal.any([signal, ending.signal])
  const acting = runAuto({
    ...{ ...looking, everyMs: 1_000 * options.every, forMs, withinMs: 1_000 * options.timeout, signal: until },
    policy: { upAfterLooks: 2, calmMs: 1_000 * options.calm, coolDownMs: 1_000 * options.coolDown },
    onDecision(each) {
      if (options.plot !== undefined) decided.push(each)
      if (options.json) printJson(decisionJson(each))
      else say(decisionText(each))
    },
    onTrouble: say,
  }).finally(() => ending.abort())
  try {
    const curve = loadCurve(seed, peak ?? 0, forMs ?? 0)
    const producing = peak === undefined ? 0 : produceLoad({ config, curve, durationMs: forMs ?? 0, signal: until })
    const [orders] = await Promise.all([producing, acting])
    if (peak !== undefined)
      say(`${orders} orders were published; --seed ${seed} has the load rise and fall like this again`)
  } finally {
    ending.abort()
    await acting.catch(() => {}) // It is told above
    if (options.plot !== undefined && decided.length > 0) {
      const load = peak === undefined ? '' : `, orders up to ${peak}/s by seed ${seed}`
      await writeFile(
        options.plot,
        plotAuto(decided, {
          title: `Replicas follow the load${load}`,
          subtitle: `goal: no event waits longer than ${options.lag} s; ${options.min} to ${options.max} replicas`,
          lagGoalSeconds: options.lag,
        }),
      )
      say(`Drawn: ${options.plot}`)
    }
  }
}

/** Said before the time is spent, not after. */
async function assertFolder(file: string): Promise<void> {
  const folder = dirname(resolve(file))
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw new TallyError('USAGE', `Nothing can be written to ${folder}: choose another file for --plot`, { cause })
  })
}
