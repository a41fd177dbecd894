import type { Codec } from '../../schemas/codec/codec.ts'
import type { ConsumerDefinition } from '../../consumers/runtime/handler.ts'
import { Broker } from './broker/broker.ts'
import { Group } from './broker/group.ts'
import { Witness } from './checks/witness.ts'
import { countingConsumer } from './counting-consumer.ts'
import { Database } from './database/database.ts'
import { createTables, statementsOf } from './database/tables.ts'
import type { Faults } from './faults.ts'
import { drawFaults, endFaults } from './faults.ts'
import { Gateway } from './gateway.ts'
import { jsonCodec } from './json-codec.ts'
import { Random } from '../../infra/testing/random.ts'
import { Replica } from './replica.ts'
import { Party, VirtualClock } from './time/virtual-clock.ts'

export interface WorldOptions {
  seed: number
  trace?: (line: string) => void
}

/** Everything there is: replicas of one consumer, and what they stand on. */
export class World {
  /** Whose doing it is what happens from outside: faults, orders, supervisors. */
  readonly self = new Party('world')
  readonly server = new Party('broker')
  readonly clock = new VirtualClock(this.self)
  readonly random: Random
  readonly faults: Faults
  readonly partitions: number
  /** What a replica keeps in memory; little, so that more than that is pending at times. */
  readonly memory: { calls: number }
  readonly sessionTimeoutMs = 2_000
  readonly broker: Broker
  readonly group = new Group(this.clock, this.server)
  readonly database: Database
  readonly gateway: Gateway
  readonly codec: Codec
  readonly definition: ConsumerDefinition<readonly string[], number>
  readonly replicas: readonly Replica[]
  readonly witness: Witness
  /** Whether orders that cannot be read, handled or stored still cannot. */
  broken = true
  /** What is wrong, once something is. */
  failure: string | undefined

  constructor({ seed, trace }: WorldOptions) {
    const { clock } = this
    this.random = new Random(seed)
    this.faults = drawFaults(this.random)
    this.partitions = this.random.integer(1, 3)
    this.memory = { calls: this.random.pick([1, 2, 5, 1_000]) }
    if (trace)
      clock.trace = (text) => trace(`${clock.now.toFixed(3).padStart(10)} ${clock.party.name.padEnd(12)} ${text}`)
    const tables = createTables()
    this.witness = new Witness(tables, (violation) => this.fail(violation))
    this.broker = new Broker(clock, ['orders', 'inventory'], this.partitions, (...args) =>
      this.witness.appended(...args),
    )
    const refuses = (history: readonly string[]) => this.broken && history.some((line) => line.includes(' refused '))
    this.database = new Database({
      clock,
      party: new Party('database'),
      tables,
      statements: statementsOf(tables, { refuses }),
      committing: (transaction) => this.witness.committing(transaction),
      defect: (what) => this.fail(`the simulated database must be brought up to date: statement ${what}`),
    })
    this.gateway = new Gateway(clock, this.random, new Party('gateway'), this.faults.gateway)
    this.codec = jsonCodec(
      this.faults.registry,
      (data) => this.broken && 'customerId' in data && data.customerId === 'unreadable',
    )
    this.definition = countingConsumer(this.gateway, () => this.broken)
    this.replicas = Array.from(
      { length: this.random.integer(1, 3) },
      (_, index) => new Replica(this, `replica-${index + 1}`),
    )
  }

  fail(what: string): void {
    this.failure ??= what
    this.clock.trace?.(`FAILURE ${what}`)
  }

  /** Faults end, replicas recover, and events that could not be handled can be. */
  heal(): void {
    this.clock.trace?.('from here on nothing goes wrong any more')
    endFaults(this.faults)
    this.broken = false
    for (const replica of this.replicas) replica.heal()
  }
}
