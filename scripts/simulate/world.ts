import type { Codec } from '../../schemas/codec/codec.ts'
import type { ConsumerDefinition } from '../../consumers/runtime/handler.ts'
import { Broker } from './broker/broker.ts'
import { Group } from './broker/group.ts'
import { Witness } from './checks/witness.ts'
import { countingConsumer } from './counting-consumer.ts'
import { Database } from './database/database.ts'
import { createTables, statementsOf } from './database/tables.ts'
import type { Transaction } from './database/transaction.ts'
import type { Faults } from './faults.ts'
import { drawFaults, endFaults } from './faults.ts'
import { Gateway } from './gateway.ts'
import { jsonCodec } from './json-codec.ts'
import { Random } from '../../infra/testing/random.ts'
import { SimulatedNotices } from './notices.ts'
import { Replica } from './replica.ts'
import { Party, VirtualClock } from './time/virtual-clock.ts'

export interface WorldOptions {
  seed: number
  trace?: (line: string) => void
}

/** A simulated world: replicas of one consumer with their broker, database and gateway. */
export class World {
  /** The party of everything outside the replicas: faults, orders, supervisors. */
  readonly self = new Party('world')
  readonly server = new Party('broker')
  readonly clock = new VirtualClock(this.self)
  readonly random: Random
  readonly faults: Faults
  readonly partitions: number
  /** Limits of a replica's memory, small enough that more is sometimes pending in the tables. */
  readonly memory: { calls: number }
  readonly sessionTimeoutMs = 2_000
  readonly broker: Broker
  readonly group = new Group(this.clock, this.server)
  readonly database: Database
  readonly notices: SimulatedNotices
  readonly gateway: Gateway
  readonly codec: Codec
  readonly definition: ConsumerDefinition<readonly string[], number>
  readonly replicas: readonly Replica[]
  readonly witness: Witness
  /** Whether orders of the kinds `unreadable`, `throws` and `refused` still fail. */
  broken = true
  /** How often the rare occurred: a world in which it did not would prove nothing about it. */
  readonly happened = { callsBeyondMemory: 0, splitRedeliveries: 0, skips: 0, notices: 0, lostNotices: 0 }
  /** The first violation. */
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
    this.notices = new SimulatedNotices(clock, this.random, tables, this.happened)
    this.witness = new Witness(tables, (violation) => this.fail(violation))
    this.broker = new Broker(clock, ['orders', 'inventory'], this.partitions, (...args) =>
      this.witness.appended(...args),
    )
    const crowds = this.random.chance(0.8)
    const refusesPlaces = () => {
      if (crowds) this.happened.splitRedeliveries++
      return crowds
    }
    const refuses = (history: readonly string[]) => this.broken && history.some((line) => line.includes(' refused '))
    this.database = new Database({
      clock,
      party: new Party('database'),
      tables,
      statements: statementsOf(tables, { refuses, refusesPlaces }),
      committing: (transaction) => {
        this.witness.committing(transaction)
        this.notices.committing(transaction)
        this.note(transaction)
      },
      defect: (what) => this.fail(`update the simulated database: statement ${what}`),
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

  private note(transaction: Transaction): void {
    const { calls, skipped } = this.database.tables
    const { happened, memory } = this
    if (transaction.written.has(skipped)) happened.skips++
    if (!transaction.written.has(calls)) return
    const perLane = Map.groupBy(transaction.rows(calls), ({ lane }) => lane)
    if ([...perLane.values()].some(({ length }) => length > memory.calls)) happened.callsBeyondMemory++
  }

  fail(what: string): void {
    this.failure ??= what
    this.clock.trace?.(`FAILURE ${what}`)
  }

  /** Ends all faults and makes failing orders succeed. */
  heal(): void {
    this.clock.trace?.('all faults end')
    endFaults(this.faults)
    this.broken = false
    for (const replica of this.replicas) replica.heal()
  }
}
