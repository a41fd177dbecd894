import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The files of a consumer that a checkout does not have: it earns one point per order. */
const files = (work: string) => ({
  'consumer.ts': `
    import { defineConsumer } from '../runtime/handler.ts'
    import { points } from './points-table.ts'

    export default () =>
      defineConsumer({
        group: 'loyalty',
        effects: 'none',
        state: points,
        handlers: { OrderPlaced: (_order, earned) => ({ state: earned + 1 }) },
      })`,
  'points-table.ts': `
    import type { StateTable } from '../runtime/state-table.ts'

    export const points: StateTable<number> = {
      initial: () => 0,
      async load(tx, keys) {
        ${work}
        const { rows } = await tx.query<{ key: string; earned: number }>('select * from points where key = any($1)', [keys])
        return new Map(rows.map(({ key, earned }) => [key, earned]))
      },
      async save(tx, states) {
        await tx.query(
          'insert into points select * from unnest($1::text[], $2::int[]) on conflict (key) do update set earned = excluded.earned',
          [[...states.keys()], [...states.values()]],
        )
      },
    }`,
  'sql/001_points.sql': 'create table points (key text primary key, earned integer not null);',
})

/**
 * Adds the consumer `loyalty` to a checkout.
 * @param work statements that it runs with each batch, with `tx` and `keys` in scope
 */
export async function addLoyalty(checkout: string, work = ''): Promise<void> {
  const folder = join(checkout, 'consumers/loyalty')
  await mkdir(join(folder, 'sql'), { recursive: true })
  for (const [file, content] of Object.entries(files(work))) await writeFile(join(folder, file), content)
}
