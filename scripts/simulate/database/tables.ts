import { callStatements, callTable } from './call-statements.ts'
import type { Refusals } from './counting-statements.ts'
import { countingStatements, historyTable, totalTable } from './counting-statements.ts'
import { inboxStatements, inboxTable } from './inbox-statements.ts'
import { laneStatements, laneStateStatements, laneStateTable, laneTable, pauseTable } from './lane-statements.ts'
import { ledgerStatements, ledgerTable } from './ledger-statements.ts'
import { outboxStatements, outboxTable } from './outbox-statements.ts'
import { parkedStatements, parkedTable } from './parked-statements.ts'
import { skippedStatements, skippedTable } from './skipped-statements.ts'
import type { Statements } from './statement.ts'
import { timerStatements, timerTable } from './timer-statements.ts'

/** The schema of one consumer. */
export const createTables = () => ({
  lanes: laneTable(),
  laneStates: laneStateTable(),
  pauses: pauseTable(),
  ledger: ledgerTable(),
  inbox: inboxTable(),
  outbox: outboxTable(),
  calls: callTable(),
  timers: timerTable(),
  parked: parkedTable(),
  skipped: skippedTable(),
  histories: historyTable(),
  totals: totalTable(),
})

export type Tables = ReturnType<typeof createTables>

export const statementsOf = (tables: Tables, refusals: Refusals): Statements => ({
  ...laneStatements(tables.lanes),
  ...laneStateStatements(tables),
  ...ledgerStatements(tables.ledger),
  ...inboxStatements(tables.inbox, refusals),
  ...outboxStatements(tables.outbox),
  ...callStatements(tables.calls, tables.lanes),
  ...timerStatements(tables.timers),
  ...parkedStatements(tables.parked),
  ...skippedStatements(tables.skipped),
  ...countingStatements(tables.histories, tables.totals, refusals),
})
