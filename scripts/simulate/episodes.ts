import { moveLaneBack } from './replayer.ts'
import { skipOffsets } from './skipper.ts'
import type { World } from './world.ts'

type Episode = (world: World) => void

const away = (service: { down: boolean }, world: World) => {
  service.down = true
  world.clock.after(world.random.between(100, 3_000), () => (service.down = false), world.self)
}

/** Faults of whole processes and servers, by name. Each ends by itself. */
const episodes: Readonly<Record<string, Episode>> = {
  'a process is killed': (world) => world.random.pick(world.replicas).kill(),
  'a process is stopped': (world) => world.random.pick(world.replicas).stop(),
  // May outlast the session: then its lanes move, and it resumes as if they were still its own
  'a process is frozen': (world) => world.random.pick(world.replicas).freeze(world.random.between(500, 6_000)),
  'the database is restarted': (world) => {
    world.database.crash()
    world.notices.cut(world.random.between(100, 3_000), world.self)
    away(world.faults.database, world)
  },
  'the broker is away': (world) => away(world.faults.broker, world),
  'the gateway is away': (world) => away(world.faults.gateway, world),
  'a lane is moved back': moveLaneBack,
  'offsets are skipped': skipOffsets,
  'the registry is away': (world) => away(world.faults.registry, world),
}

/** What needs processed offsets, and with few episodes would rarely find any. */
const late = { 'a lane is moved back': 0.3, 'offsets are skipped': 0.15 }

export function playEpisodes(world: World, untilMs: number): void {
  const { clock, random, self } = world
  const play = (name: string, fromMs: number) =>
    clock.after(
      random.between(fromMs, untilMs),
      () => {
        clock.trace?.(name)
        episodes[name]?.(world)
      },
      self,
    )
  for (let left = random.integer(0, 6); left > 0; left--) play(random.pick(Object.keys(episodes)), 0)
  for (const [name, chance] of Object.entries(late)) if (random.chance(chance)) play(name, untilMs / 2)
}
