import { findings } from './checks/findings.ts'
import { isSettled, whatIsLeft } from './checks/settled.ts'
import { playEpisodes } from './episodes.ts'
import { actAsOperator } from './operator.ts'
import { live } from './time/take-over-time.ts'
import { placeOrders } from './workload.ts'
import type { WorldOptions } from './world.ts'
import { World } from './world.ts'

/** The result of one seed. The same seed always has the same fingerprint. */
export interface Outcome {
  seed: number
  failure: string | undefined
  fingerprint: number
  steps: number
  /** Virtual time until the world had settled, milliseconds. */
  virtualMs: number
  commits: number
  /** Records that the broker received more than once. */
  repeats: number
  /** How often rare things occurred. */
  happened: World['happened']
}

/** Faults and orders arrive for `troubleMs`; then everything must settle within `settleWithinMs`. */
const troubleMs = 6_000
const settleWithinMs = 120_000
const lookEveryMs = 250

/** Runs one seed. Call `takeOverTime` in this thread first. */
export async function simulate(options: WorldOptions): Promise<Outcome> {
  const world = new World(options)
  const { clock, random, self, witness } = world
  live(clock, random)
  let over = false
  const look = () => {
    if (isSettled(world)) return void clock.after(1_000, () => (over = true), self)
    if (clock.now < troubleMs + settleWithinMs) return void clock.after(lookEveryMs, look, self)
    world.fail(`not settled ${settleWithinMs / 1_000} s after the last fault: ${whatIsLeft(world)}`)
  }
  for (const replica of world.replicas) clock.after(random.between(0, 500), () => replica.start())
  placeOrders(world, random.integer(5, 25), troubleMs * 0.7)
  playEpisodes(world, troubleMs)
  actAsOperator(world, troubleMs)
  clock.after(troubleMs, () => world.heal())
  clock.after(troubleMs + lookEveryMs, look)
  const rejected = (error: unknown) =>
    world.fail(`unhandled rejection: ${error instanceof Error ? error.stack : String(error)}`)
  process.on('unhandledRejection', rejected)
  await clock.run(() => over || world.failure !== undefined)
  process.off('unhandledRejection', rejected)
  world.gateway.close()
  if (!world.failure) for (const finding of findings(world)) world.fail(finding)
  const { commits, repeats } = witness
  const { failure } = world
  return {
    seed: options.seed,
    failure,
    fingerprint: clock.fingerprint,
    steps: clock.steps,
    virtualMs: clock.now,
    commits,
    repeats,
    happened: world.happened,
  }
}
