import { noNotices } from '../../infra/notices/notices.ts'
import type { Notices } from '../../infra/notices/notices.ts'
import type { Random } from '../../infra/testing/random.ts'
import type { LaneRow } from './database/lane-statements.ts'
import type { ParkedRow } from './database/parked-statements.ts'
import type { Tables } from './database/tables.ts'
import type { Transaction } from './database/transaction.ts'
import type { Party, VirtualClock } from './time/virtual-clock.ts'

interface Listener {
  readonly party: Party
  readonly told: () => void
  /** Share of the notices that are lost. */
  readonly lost: number
}

/** What the schema's triggers tell of commits. Some processes hear everything, some half of it, some know that they hear nothing. */
export class SimulatedNotices {
  private readonly clock: VirtualClock
  private readonly random: Random
  private readonly tables: Tables
  private readonly happened: { notices: number; lostNotices: number }
  private readonly listeners = new Set<Listener>()
  private heard = true

  constructor(clock: VirtualClock, random: Random, tables: Tables, happened: SimulatedNotices['happened']) {
    this.happened = happened
    this.clock = clock
    this.random = random
    this.tables = tables
  }

  /** What a new process hears. */
  for(party: Party): Notices {
    const lost = this.random.pick([0, 0, 0.5, 1])
    if (lost === 1) return noNotices
    const hears = () => this.heard
    return {
      get heard() {
        return hears()
      },
      subscribe: (told) => {
        const listener = { party, told, lost }
        this.listeners.add(listener)
        return () => this.listeners.delete(listener)
      },
    }
  }

  /** Call just before a commit. */
  committing(transaction: Transaction): void {
    if (this.heard && this.tells(transaction)) this.tell()
  }

  /** Breaks the connections for a time. */
  cut(ms: number, world: Party): void {
    const cut = () => {
      for (const { party, told } of this.listeners) this.clock.after(0, told, party)
    }
    this.heard = false
    cut()
    this.clock.after(
      ms,
      () => {
        this.heard = true
        cut()
      },
      world,
    )
  }

  private tell(): void {
    for (const { party, told, lost } of this.listeners) {
      const arrives = !this.random.chance(lost)
      if (arrives) this.clock.after(this.random.between(0, 5), told, party)
      this.happened[arrives ? 'notices' : 'lostNotices']++
    }
  }

  /** As `when` in the triggers. */
  private tells({ written, now }: Transaction): boolean {
    const { lanes, parked, pauses } = this.tables
    const raised = changes<LaneRow>(written, lanes).some(([before, after]) => before && before.epoch !== after?.epoch)
    const due = changes<ParkedRow>(written, parked).some(
      ([before, after]) => before && (after?.nextAttemptAt ?? Infinity) <= now,
    )
    return raised || due || written.has(pauses)
  }
}

function changes<Row extends object>(
  written: Transaction['written'],
  table: Tables[keyof Tables],
): [Row | undefined, Row | undefined][] {
  return [...(written.get(table) ?? [])].map(([key, row]) => [
    table.committed.get(key) as Row | undefined,
    row as Row | undefined,
  ])
}
