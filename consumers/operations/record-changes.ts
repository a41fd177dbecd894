import type { ConsumerDefinition } from '../runtime/handler.ts'

/** A row before and after; undefined if it does not exist. */
export interface RowChange {
  readonly id: string
  readonly before: unknown
  readonly after: unknown
}

/**
 * The same consumer, which records the changes of the rows it reads. What was saved is read again: a handler's state may have
 * fields that are never stored.
 */
export function recordChanges<State, Row>(definition: ConsumerDefinition<State, Row>) {
  const { state, shared } = definition
  const states = new Changes<State>()
  const rows = new Changes<Row>()
  const recording: ConsumerDefinition<State, Row> = {
    ...definition,
    state: {
      ...state,
      load: async (tx, keys) => states.read(keys, await state.load(tx, keys)),
      async save(tx, saved) {
        await state.save(tx, saved)
        states.wrote(saved, await state.load(tx, [...saved.keys()]))
      },
    },
    shared: shared && {
      ...shared,
      lock: async (tx, ids) => rows.read(ids, await shared.lock(tx, ids)),
      async save(tx, saved) {
        await shared.save(tx, saved)
        rows.wrote(saved, await shared.lock(tx, [...saved.keys()]))
      },
    },
  }
  return { definition: recording, states: () => states.all(), shared: () => rows.all() }
}

class Changes<Row> {
  private readonly before = new Map<string, Row | undefined>()
  private readonly after = new Map<string, Row>()

  read(ids: readonly string[], found: Map<string, Row>): Map<string, Row> {
    for (const id of ids) if (!this.before.has(id)) this.before.set(id, found.get(id))
    return found
  }

  /** @param stored what is read of them now */
  wrote(rows: ReadonlyMap<string, Row>, stored: ReadonlyMap<string, Row>): void {
    for (const [id, row] of rows) this.after.set(id, stored.get(id) ?? row)
  }

  all(): RowChange[] {
    return [...this.after].map(([id, after]) => ({ id, before: this.before.get(id), after }))
  }
}
