import type { ConsumerDefinition } from '../runtime/handler.ts'

/** A row before and after; undefined if it does not exist. */
export interface RowChange {
  readonly id: string
  readonly before: unknown
  readonly after: unknown
}

/** The same consumer, which records the changes of the rows it reads. */
export function recordChanges<State, Row>(definition: ConsumerDefinition<State, Row>) {
  const { state, shared } = definition
  const states = new Changes<State>()
  const rows = new Changes<Row>()
  const recording: ConsumerDefinition<State, Row> = {
    ...definition,
    state: {
      ...state,
      load: async (tx, keys) => states.read(keys, await state.load(tx, keys)),
      save: async (tx, saved) => state.save(tx, states.wrote(saved)),
    },
    shared: shared && {
      ...shared,
      lock: async (tx, ids) => rows.read(ids, await shared.lock(tx, ids)),
      save: async (tx, saved) => shared.save(tx, rows.wrote(saved)),
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

  wrote(rows: ReadonlyMap<string, Row>): ReadonlyMap<string, Row> {
    for (const [id, row] of rows) this.after.set(id, row)
    return rows
  }

  all(): RowChange[] {
    return [...this.after].map(([id, after]) => ({ id, before: this.before.get(id), after }))
  }
}
