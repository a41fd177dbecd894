import type { LaneRow } from './lane-statements.ts'
import type { Statements } from './statement.ts'
import { statement } from './statement.ts'
import { Table } from './transaction.ts'

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
}

export const laneStateStatements = ({ laneStates: states, pauses, lanes }: LaneStateTables): Statements => ({
  lane_note: statement('94cc63c8', (tx, lane: number, epoch: number, phase: string, reason: string | null) => {
    const row = tx.get(states, String(lane)) ?? { lane, ...unknown }
    if (row.epoch <= epoch) tx.put(states, String(lane), { ...row, epoch, phase, reason })
    return []
  }),

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

  lane_epochs: statement('25dc9bbd', (tx) =>
    tx.rows(lanes).map(({ lane, epoch }) => ({ lane, epoch, paused: tx.get(pauses, String(lane))?.reason ?? null })),
  ),
})
