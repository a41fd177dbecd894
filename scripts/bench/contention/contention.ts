import { join } from 'node:path'
import type { Sandbox } from '../../../schemas/testing/sandbox.ts'
import type { Benchmark, Contender, Ground, Repeat } from '../benchmark.ts'
import { assertReserved, deadlocks, linesWith, prepareGoods, prepareInventory, stockUp } from './warehouse.ts'
import { fillOrders, prepareTopics } from '../fill-orders.ts'
import { peerParameters, preparePeerTables } from '../hop/prepare.ts'
import { runProgram, script } from '../run-program.ts'

const shares = [0, 10, 50, 90]
const usualLanes = 12

const ours = [
  ...shares.map((percent) => tally(percent, usualLanes)),
  ...[1, 3].flatMap((lanes) => [0, 50, 90].map((percent) => tally(percent, lanes))),
]
const peers = shares.map(
  (percent): Contender => ({
    name: `row locks, ${percent} % hot`,
    setup:
      'kafkajs eachMessage, 12 partitions at once, a transaction each with the rows of its articles locked in order',
    share: 0.1,
    measure: (ground) => rowLocks(ground, percent),
  }),
)

export const contention: Benchmark = {
  name: 'contention',
  what: 'Reserve stock for orders, 0, 10, 50 or 90 % of which contain the same article; all other articles are random.',
  unit: 'orders/s',
  events: { usual: 200_000, quick: 20_000 },
  contenders: [ours[0] as Contender, ...ours.slice(1), ...peers],
  bars: [
    { contender: nameOf(50, usualLanes), against: nameOf(0, usualLanes), atLeast: 0.7 },
    ...ours.map(({ name }) => ({ contender: name, figure: 'deadlocks', atMost: 0 })),
  ],
}

function nameOf(percent: number, lanes: number): string {
  return `tally, ${percent} % hot${lanes === usualLanes ? '' : `, ${lanes} ${lanes === 1 ? 'lane' : 'lanes'}`}`
}

function tally(percent: number, lanes: number): Contender {
  return {
    name: nameOf(percent, lanes),
    setup: `one replica of the inventory, ${lanes === 1 ? '1 lane' : `${lanes} lanes`}`,
    large: lanes !== usualLanes,
    measure: (ground) => inventory({ ...ground, sandbox: withLanes(ground.sandbox, lanes) }, percent),
  }
}

/** A sandbox whose topics have `lanes` partitions. */
const withLanes = (sandbox: Sandbox, lanes: number): Sandbox => ({
  ...sandbox,
  config: { ...sandbox.config, partitions: lanes },
  env: { ...sandbox.env, TALLY_PARTITIONS: String(lanes) },
  createTopics: () => sandbox.createTopics(lanes),
})

async function inventory(ground: Ground, percentHot: number): Promise<Repeat> {
  const { sandbox, events } = ground
  await fillOrders(sandbox, await prepareTopics(sandbox), events, { linesOf: linesWith(percentHot) })
  const schema = await prepareInventory(sandbox)
  await stockUp(sandbox, schema)
  return reserve(ground, { program: 'ours.ts', parameters: { events }, schema, percentHot })
}

async function rowLocks(ground: Ground, percentHot: number): Promise<Repeat> {
  const { sandbox, events } = ground
  await fillOrders(sandbox, await prepareTopics(sandbox), events, { linesOf: linesWith(percentHot) })
  const schema = await preparePeerTables(sandbox)
  await prepareGoods(sandbox, schema)
  await stockUp(sandbox, schema)
  const parameters = {
    ...peerParameters(sandbox, 'StockReserved'),
    effect: 'reserve',
    ...{ schema, events, atOnce: usualLanes },
  }
  return reserve(ground, { program: '../peers/kafkajs-each-message.ts', parameters, schema, percentHot })
}

interface Reserving {
  program: string
  parameters: object
  schema: string
  percentHot: number
}

async function reserve(ground: Ground, { program, parameters, schema, percentHot }: Reserving): Promise<Repeat> {
  const before = await deadlocks(ground.sandbox)
  const { counts: _, ...repeat } = await runProgram(
    ground,
    script(join(import.meta.dirname, program), parameters, ground),
  )
  await assertReserved(ground, schema, percentHot)
  return { ...repeat, figures: { deadlocks: (await deadlocks(ground.sandbox)) - before } }
}
