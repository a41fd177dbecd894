import type { Config } from '../../infra/config.ts'
import { describeError } from '../../infra/errors.ts'
import type { Running } from '../../infra/service.ts'
import type { Logger } from '../../infra/logger.ts'
import { startConsumer } from '../../consumers/runtime/start-consumer.ts'
import { simulatedKafka, simulatedTopicIds } from './broker/kafka.ts'
import { simulatedPool } from './database/pool.ts'
import { Party } from './time/virtual-clock.ts'
import type { VirtualClock } from './time/virtual-clock.ts'
import type { Random } from '../../infra/testing/random.ts'
import type { ConsumerDefinition } from '../../consumers/runtime/handler.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import type { Broker } from './broker/broker.ts'
import type { Group } from './broker/group.ts'
import type { Database } from './database/database.ts'
import type { Faults } from './faults.ts'
import type { SimulatedNotices } from './notices.ts'

const restartMs = 300

/** What a replica needs of its world; `World` in world.ts is one. */
export interface Surroundings {
  readonly clock: VirtualClock
  /** The party of everything outside the replicas. */
  readonly self: Party
  readonly server: Party
  readonly random: Random
  readonly faults: Faults
  readonly partitions: number
  readonly memory: { calls: number }
  readonly sessionTimeoutMs: number
  readonly broker: Broker
  readonly group: Group
  readonly database: Database
  readonly notices: SimulatedNotices
  readonly codec: Codec
  readonly definition: ConsumerDefinition<readonly string[], number>
}

/** One replica of the consumer with its supervisor, which restarts its process whenever it ends. */
export class Replica {
  readonly name: string
  private readonly world: Surroundings
  private party: Party | undefined
  private running: Running | undefined
  private cut = () => {}
  private starts = 0

  constructor(world: Surroundings, name: string) {
    this.world = world
    this.name = name
  }

  start(): void {
    const party = new Party(`${this.name}#${++this.starts}`)
    this.party = party
    this.world.clock.after(0, () => void this.boot(party), party)
  }

  /** SIGKILL: ends its process and breaks its connections. */
  kill(): void {
    this.end('killed')
  }

  /** SIGTERM: its process shuts down within the time that its supervisor allows. */
  stop(): void {
    const { party, running } = this
    if (!party || !running) return
    const { clock } = this.world
    clock.trace?.(`${party.name} is told to stop`)
    clock.after(0, () => void running.stop().then(() => this.ends(party, 'stopped')), party)
    clock.after(10_000, () => this.ends(party, 'took too long to stop'), this.world.self)
  }

  /** SIGSTOP, then SIGCONT after `ms` milliseconds. */
  freeze(ms: number): void {
    const { party } = this
    const { clock, self } = this.world
    if (!party) return
    clock.trace?.(`${party.name} is frozen for ${Math.round(ms)} ms`)
    clock.freeze(party)
    clock.after(ms, () => clock.thaw(party), self)
  }

  /** Starts a process if none runs. */
  heal(): void {
    if (this.party) this.world.clock.thaw(this.party)
  }

  private async boot(party: Party): Promise<void> {
    const { clock, random, database, broker, group, server, faults, codec, definition, partitions } = this.world
    const { pool, cut } = simulatedPool({ clock, database, random, faults: faults.database, party })
    this.cut = cut
    const wire = { clock, random, broker, group, server, faults: faults.broker, party }
    const config = {
      namespace: '',
      partitions,
      generation: 1,
      kafka: { brokers: ['simulated'], sessionTimeoutMs: this.world.sessionTimeoutMs },
      retention: {},
      failure: { retryLimit: 2, retryFirstMs: 300, parkedLimit: 1_000 },
    } as unknown as Config
    const scarcity = random.chance(0.5) ? 1 : 0 // So that half of the processes linger
    try {
      this.running = await startConsumer(definition, {
        config,
        pool,
        codec,
        log: this.log(),
        notices: this.world.notices.for(party),
        replica: party.name,
        memory: this.world.memory,
        broker: { kafka: simulatedKafka(wire), readIds: simulatedTopicIds(wire) },
        scarce: () => scarcity,
      })
    } catch (error) {
      this.ends(party, `did not start: ${describeError(error)}`)
    }
  }

  private ends(party: Party, why: string): void {
    if (this.party === party) this.end(why)
  }

  private end(why: string): void {
    const { clock, self } = this.world
    if (!this.party) return
    clock.trace?.(`${this.party.name} ends: ${why}`)
    clock.kill(this.party)
    this.cut()
    this.party = this.running = undefined
    clock.after(restartMs, () => this.start(), self)
  }

  private log(): Logger {
    const { clock } = this.world
    const say = (level: string) => (fields: object, text: string) =>
      clock.trace?.(`${level} ${text} ${JSON.stringify(fields)}`)
    const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
    return log as unknown as Logger
  }
}
