import type { OutboxBatch, OutboxEvent } from '../../../producers/outbox/outbox-batch.ts'
import type { StoredRecord } from '../broker/broker.ts'
import type { LedgerRow } from '../database/ledger-statements.ts'
import { placesOf } from '../database/outbox-statements.ts'
import type { Tables } from '../database/tables.ts'
import type { Transaction } from '../database/transaction.ts'

/**
 * Watches every commit and every record that reaches the broker, and reports violations at once. It keeps its own history,
 * because the tables forget published events.
 */
export class Witness {
  /** All events ever committed to the outbox, by `lane/seq`. */
  readonly decided = new Map<string, OutboxEvent>()
  /** Those that the broker has. */
  readonly published = new Set<string>()
  /** Records that were published again. */
  repeats = 0
  commits = 0
  /** Number last published for the first time, by lane and partition. */
  private readonly lastFirst = new Map<string, number>()
  private readonly tables: Tables
  private readonly violated: (violation: string) => void

  constructor(tables: Tables, violated: (violation: string) => void) {
    this.tables = tables
    this.violated = violated
  }

  committing(transaction: Transaction): void {
    const { tables } = this
    this.commits++
    const effects = [tables.ledger, tables.inbox, tables.timers, tables.parked, tables.histories, tables.totals]
    const { owned } = transaction
    if (owned.size === 0 && effects.some((table) => transaction.written.has(table))) {
      this.violated('effects were committed without a lock on their lane')
    }
    for (const [lane, epoch] of owned) {
      const owner = transaction.get(tables.lanes, String(lane))?.epoch // The transaction may have raised the epoch
      if (owner !== epoch) this.violated(`lane ${lane}: epoch ${epoch} committed although ${owner} owns it`)
    }
    for (const row of rowsOf<LedgerRow>(transaction, tables.ledger)) {
      if (row && !owned.has(row.partition))
        this.violated(`${row.topic}/${row.partition} moved without a lock on its lane`)
      const before = tables.ledger.committed.get(`${row?.topic}/${row?.partition}/${row?.epoch}`)
      if (row && before && row.next_offset < before.next_offset)
        this.violated(`the position in ${row.topic}/${row.partition} moved back`)
    }
    for (const [place, written] of transaction.written.get(tables.outbox) ?? []) {
      const row = (written ?? tables.outbox.committed.get(place)) as OutboxBatch | undefined
      for (const [event, content] of row ? placesOf(row) : []) {
        if (written) this.decided.set(event, content)
        else if (!this.published.has(event)) this.violated(`event ${event} was deleted before the broker had it`)
      }
    }
  }

  appended(topic: string, partition: number, { headers, value }: StoredRecord): void {
    const source = String(headers['ce_sourcelane'] ?? '')
    if (!source) return
    const lane = source.split('/')[1] ?? ''
    const seq = Number(headers['ce_sequence'])
    const place = `${lane}/${seq}`
    const row = this.decided.get(place)
    if (!row || !value?.equals(row.value) || row.topic !== topic || row.eventId !== String(headers['ce_id'])) {
      return this.violated(`${topic}/${partition} was sent an event ${place} that was never committed`)
    }
    if (this.published.has(place)) return void this.repeats++
    this.published.add(place)
    const stream = `${lane} ${topic}/${partition}`
    if (seq < (this.lastFirst.get(stream) ?? 0)) this.violated(`event ${place} was published after a later one`)
    this.lastFirst.set(stream, seq)
  }
}

const rowsOf = <Row extends object>(transaction: Transaction, table: object): (Row | undefined)[] =>
  [...(transaction.written.get(table as never)?.values() ?? [])] as (Row | undefined)[]
