import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { newEventId } from '../../../schemas/event-id.ts'
import type { Benchmark, Contender, Ground, Repeat } from '../benchmark.ts'
import { assertCount, fillOrders, prepareTopics } from '../fill-orders.ts'
import { countIds, fill, random, timed } from './fill.ts'
import type { InboxKind } from './fill.ts'
import { assertEffects, prepareOurTables } from '../hop/prepare.ts'
import { runProgram, script } from '../run-program.ts'

const waiting = 1_000_000
/** Number of ids in the inbox before the run, as powers of ten. */
const sizes = [{ power: 5 }, { power: 6 }, { power: 7, large: true }]
/** Fills 14 GB of disk for about an hour. */
const most = { power: 8, large: true }

const ours = [...sizes, most].map((each) =>
  contender('tally', 'ids that begin with their time, one partition per week', each, {
    kind: timed,
    newId: newEventId,
  }),
)
const theirs = sizes.map((each) =>
  contender('random ids', 'the same consumer on an inbox of random ids in one table', each, {
    kind: random,
    newId: randomUUID,
  }),
)

export const growth: Benchmark = {
  name: 'growth',
  what: `The hop, with ids of the last weeks in the inbox already and ${waiting.toLocaleString('en')} rows of other lanes in the outbox.`,
  unit: 'events/s',
  events: { usual: 500_000, quick: 30_000 },
  contenders: [ours[0] as Contender, ...ours.slice(1), ...theirs],
  bars: [
    { contender: nameOf('tally', 7), against: nameOf('tally', 5), atLeast: 0.85 },
    { contender: nameOf('tally', 8), against: nameOf('tally', 5), atLeast: 0.9 },
  ],
}

function nameOf(name: string, power: number): string {
  return `${name}, 10^${power} ids`
}

function contender(
  name: string,
  setup: string,
  { power, large }: { power: number; large?: boolean },
  inbox: { kind: InboxKind; newId: () => string },
): Contender {
  return { name: nameOf(name, power), setup, large, measure: (ground) => hopOn(ground, 10 ** power, inbox) }
}

async function hopOn(
  ground: Ground,
  ids: number,
  { kind, newId }: { kind: InboxKind; newId: () => string },
): Promise<Repeat> {
  const { sandbox, events } = ground
  await fillOrders(sandbox, await prepareTopics(sandbox), events, { newId })
  const schema = await prepareOurTables(sandbox)
  const bytes = await fill(ground, schema, kind, { ids, waiting })
  const program = script(join(import.meta.dirname, '../hop/ours.ts'), { events }, ground)
  const { counts: _, ...repeat } = await runProgram(ground, program)
  await assertEffects(ground, schema)
  assertCount('ids in the inbox', await countIds(sandbox, schema), ids + events)
  return { ...repeat, figures: { 'inbox MB': bytes / 2 ** 20 } }
}
