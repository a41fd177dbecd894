import { isTallyError, TallyError } from '../../../../infra/errors.ts'
import type { ReplayContext, ReplayMode, ReplayRun } from '../mode.ts'
import { beginnings } from './beginnings.ts'
import { catchUp } from './catch-up.ts'
import type { FoldContext } from './fold-lane.ts'
import { beginPositions } from './fold-tables.ts'
import { rebuildPreconditions } from './preconditions.ts'
import { totalParked } from '../../../runtime/tables/parked-figures.ts'
import {
  createAside,
  differences,
  dropSchema,
  keptSchemas,
  openAside,
  schemaExists,
  schemasOf,
} from './tables-aside.ts'
import type { Schemas } from './tables-aside.ts'

/**
 * Fills new tables from the topics beside the consumer's, with its handlers, and swaps them in at the position of its
 * replicas. Events that the handlers emit are discarded. After a kill, it resumes from the tables aside.
 */
export const rebuild = {
  describe({ group, partitions }) {
    const handled = partitions.reduce((sum, each) => sum + each.handled, 0)
    return (
      `Fills new tables for ${group} from ${handled.toLocaleString('en')} events, beside the live ones, and swaps them in when they have caught up ` +
      'with its replicas. Nothing is published. The former tables are kept until the next rebuild.'
    )
  },

  preconditions: rebuildPreconditions,

  async run(context, run) {
    const schemas = schemasOf(context, run.id)
    if (!run.figures['swapped']) {
      await createAside(context, schemas)
      const differing = await differences(context.pool, schemas)
      if (differing[0] !== undefined) throw new TallyError('PRECONDITION_FAILED', differing.join('; '))
      await withTables(context, schemas.aside, async (folding, aside) => {
        await beginPositions(aside, await beginnings(folding, run))
        await catchUp(folding, run, { schemas, aside, keep: true })
      })
    }
    // Undo must not replace the tables by any but those of the latest rebuild
    for (const kept of await keptSchemas(context.pool, schemas))
      if (kept !== schemas.before) await dropSchema(context.pool, kept)
  },

  async abandon(context, run) {
    await dropSchema(context.pool, schemasOf(context, run.id).aside)
  },

  /** Brings the tables the group had up to where it stands now, and swaps them in. */
  async undo(context, run) {
    if (run.figures['undone']) return // It died before that was kept
    const schemas = schemasOf(context, run.id)
    await refuseUndo(context, run, schemas)
    const back: Schemas = { ...schemas, aside: schemas.before }
    try {
      await withTables(context, back.aside, (folding, aside) =>
        catchUp(folding, run, { schemas: back, aside, keep: false }),
      )
    } catch (error) {
      if (!isTallyError(error, 'EVENTS_GONE')) throw error
      const what = 'the tables that were kept cannot be brought up to date, so they stay where they are'
      throw new TallyError('PRECONDITION_FAILED', `${what}: ${error.message}`, { cause: error })
    }
  },
} satisfies ReplayMode

async function refuseUndo({ pool, definition }: ReplayContext, run: ReplayRun, { before }: Schemas): Promise<void> {
  if (!run.figures['swapped'])
    throw new TallyError('PRECONDITION_FAILED', `replay ${run.id} swapped no tables: there is nothing to put back`)
  if (!(await schemaExists(pool, before)))
    throw new TallyError(
      'PRECONDITION_FAILED',
      `the tables of before replay ${run.id} are gone: a later rebuild has replaced them, or its consumer was removed`,
    )
  const parked = await totalParked(pool)
  if (parked > 0)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `${parked} events of ${definition?.group} are parked: redrive or drop them first, so that it is known what took effect`,
    )
}

async function withTables(
  context: ReplayContext,
  schema: string,
  work: (context: FoldContext, aside: ReplayContext['pool']) => Promise<void>,
): Promise<void> {
  const { definition, config, log } = context
  if (!definition) throw new TallyError('USAGE', 'rebuild needs a group: its tables are rebuilt')
  const aside = openAside(config, log, schema)
  try {
    await work({ ...context, definition }, aside)
  } finally {
    await aside.end()
  }
}
