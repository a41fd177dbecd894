import type { ParkedRow } from './parked-statements.ts'
import type { Statements } from './statement.ts'
import { databaseError, statement } from './statement.ts'
import { Blocked, Table } from './transaction.ts'
import type { TimerRow } from './timer-statements.ts'
import type { Transaction } from './transaction.ts'

export interface LaneRow {
  lane: number
  epoch: number
  next_seq: number
  owner: string
}

export const laneTable = () => new Table<LaneRow>('lane')

export const laneStatements = (lanes: Table<LaneRow>): Statements => ({
  lane_raise: statement(
    '6e7097b9',
    (tx, lane: number, owner: string, heldEpoch: number | null, _generation: number | null) => {
      tx.lock(lanes, String(lane))
      const row = tx.get(lanes, String(lane)) ?? { lane, epoch: 0, next_seq: 1, owner }
      if (row.epoch > 0 && heldEpoch !== null && heldEpoch !== row.epoch) return []
      tx.put(lanes, String(lane), { ...row, epoch: row.epoch + 1, owner })
      tx.owned.set(lane, row.epoch + 1)
      return [{ epoch: row.epoch + 1 }]
    },
  ),

  lane_lock: statement('54539fa2', (tx, lane: number, epoch: number) => {
    tx.lock(lanes, String(lane))
    const row = tx.get(lanes, String(lane))
    if (row?.epoch !== epoch) return []
    tx.owned.set(lane, epoch)
    return [{ next_seq: row.next_seq }]
  }),

  lane_lock_several: statement('f33dffee', (tx, numbers: number[], epochs: number[]) =>
    numbers.flatMap((lane, index) => {
      const epoch = epochs[index] ?? 0
      if (tx.get(lanes, String(lane))?.epoch !== epoch) return []
      lockNow(tx, lanes, String(lane))
      tx.owned.set(lane, epoch)
      return [{ lane, next_seq: tx.get(lanes, String(lane))?.next_seq }]
    }),
  ),

  lanes_advance: statement('b212d268', (tx, numbers: number[], counts: number[]) => {
    for (const [index, lane] of numbers.entries()) {
      const row = tx.get(lanes, String(lane))
      if (row) tx.put(lanes, String(lane), { ...row, next_seq: row.next_seq + (counts[index] ?? 0) })
    }
    return []
  }),
})

/** `nowait`. */
function lockNow(tx: Transaction, table: Table, key: string): void {
  try {
    tx.lock(table, key)
  } catch (error) {
    throw error instanceof Blocked ? databaseError('55P03', `could not obtain lock on row of "${table.name}"`) : error
  }
}

export interface LaneStateRow {
  lane: number
  epoch: number
  phase: string
  reason: string | null
  starts: number
  suspect: string | null
  inputs: number
  suspectStarts: number
}

export interface PauseRow {
  lane: number
  reason: string
}

export const laneStateTable = () => new Table<LaneStateRow>('lane_state')
export const pauseTable = () => new Table<PauseRow>('pause')

const unknown = { epoch: 0, phase: '', reason: null, starts: 0, suspect: null, inputs: 0, suspectStarts: 0 }

export interface LaneStateTables {
  laneStates: Table<LaneStateRow>
  pauses: Table<PauseRow>
  lanes: Table<LaneRow>
  parked: Table<ParkedRow>
  timers: Table<TimerRow>
}

export const laneStateStatements = ({
  laneStates: states,
  pauses,
  lanes,
  parked,
  timers,
}: LaneStateTables): Statements => ({
  lane_note: statement('94cc63c8', (tx, lane: number, epoch: number, phase: string, reason: string | null) => {
    const row = tx.get(states, String(lane)) ?? { lane, ...unknown }
    if (row.epoch <= epoch) tx.put(states, String(lane), { ...row, epoch, phase, reason })
    return []
  }),

  // For operators only: nothing reads it
  pace_note: statement('421db869', () => []),

  lane_begin: statement('d8b24c43', (tx, lane: number, epoch: number, counts: number) => {
    const row = tx.get(states, String(lane)) ?? { lane, ...unknown }
    if (row.epoch > epoch) return []
    const begun = { ...row, epoch, phase: 'live', reason: null, starts: row.starts + counts }
    tx.put(states, String(lane), begun)
    return [{ ...begun, paused: tx.get(pauses, String(lane))?.reason ?? null }]
  }),

  lane_suspect: statement('8398097a', (tx, lane: number, epoch: number, suspect: string, inputs: number) => {
    const row = tx.get(states, String(lane))
    const again = row?.suspect === suspect && row.inputs === inputs
    const suspectStarts = again ? row.suspectStarts + 1 : 1
    if (row?.epoch === epoch) tx.put(states, String(lane), { ...row, suspect, inputs, suspectStarts })
    return []
  }),

  lane_end: statement('aaf2185d', (tx, lane: number, epoch: number) => {
    const row = tx.get(states, String(lane))
    if (row?.epoch === epoch)
      tx.put(states, String(lane), { ...row, starts: 0, suspect: null, inputs: 0, suspectStarts: 0 })
    return []
  }),

  // To the members of the group, for which the simulation needs no notice
  notice_send: statement('d70e4928', () => []),

  lane_epochs: statement('1f495d28', (tx, asked: number[]) =>
    tx
      .rows(lanes)
      .filter(({ lane }) => asked.includes(lane))
      .map(({ lane, epoch }) => ({
        lane,
        epoch,
        generation: 1,
        paused: tx.get(pauses, String(lane))?.reason ?? null,
        retryMs: untilFirst(
          tx.now,
          tx.rows(parked).map((row) => (row.lane === lane ? row.nextAttemptAt : null)),
        ),
        timerMs: untilFirst(
          tx.now,
          tx.rows(timers).map((row) => (row.lane === lane ? row.dueAt : null)),
        ),
      })),
  ),
})

/** Time until the first of these times, as PostgreSQL's `ceil` and `min` have it; null if there is none. */
function untilFirst(now: number, times: readonly (number | null)[]): number | null {
  const some = times.filter((time) => time !== null)
  return some.length > 0 ? Math.ceil(Math.min(...some) - now) : null
}
