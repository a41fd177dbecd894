import { writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { makePlan } from '../../consumers/operations/replay/plan/make-plan.ts'
import type { PlanRequest } from '../../consumers/operations/replay/plan/make-plan.ts'
import type { ReplayContext } from '../../consumers/operations/replay/mode.ts'
import { modeNames } from '../../consumers/operations/replay/plan.ts'
import type { Plan, Selector } from '../../consumers/operations/replay/plan.ts'
import { writePlanFile } from '../../consumers/operations/replay/plan/plan-file.ts'
import { reasonsAgainst } from '../../consumers/operations/replay/run/run-replay.ts'
import { parseRangeBound } from '../../consumers/operations/replay/plan/range-bound.ts'
import type { RangeBound } from '../../consumers/operations/replay/plan/range-bound.ts'
import { loadConfig } from '../../infra/config.ts'
import { describeError, isTallyError, TallyError } from '../../infra/errors.ts'
import { unknownType } from '../../producers/event-json/event-type-names.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import { eventTypes } from '../../schemas/topics.ts'
import { addSubcommand, printJson, say } from '../cli/command.ts'
import type { CommonOptions } from '../cli/command.ts'
import { createProgress } from '../cli/progress.ts'
import type { Progress } from '../cli/progress.ts'
import { withReplayContext } from '../../consumers/operations/replay/open-replay.ts'
import { printReport } from '../cli/report.ts'
import { offsetsCsv, planReport } from './print-plan.ts'

interface Asked extends Omit<PlanRequest, 'topics' | 'selector'>, CommonOptions {
  group?: string
  topic?: string[]
  key?: string[]
  order?: string[]
  type?: EventType[]
  header?: NonNullable<Selector['headers']>
  out?: string
  csv?: string
  force?: boolean
  partitions?: boolean
}

export function addPlanCommand(program: Command, signal: AbortSignal): void {
  addSubcommand(
    program,
    'plan',
    'Count what a replay would touch, and write the plan; nothing is moved',
    [
      'npm run replay -- plan --mode redeliver --group inventory --from -2h --out plan.json',
      'npm run replay -- plan --mode rebuild --group order-status --out plan.json',
      'npm run replay -- plan --mode copy --topic orders --from 3:1200 --to 3:1300 --to-topic trial --out plan.json',
    ],
    'A place in a topic is one of: earliest, latest, group (the position of the group), an offset such as 1200 or per partition 3:1200,4:900, a time such as 2026-03-01T18:00Z, or -2h.',
  )
    .addOption(
      new Option('-m, --mode <mode>', 'what to do with the events').choices([...modeNames]).makeOptionMandatory(),
    )
    .option('-g, --group <name>', 'consumer that replays; optional for copy')
    .option('-t, --topic <name>', 'topic to read; repeatable (default: all topics of the group)', listed)
    .option('--from <place>', 'first place (default: earliest)', bound)
    .option('--to <place>', 'place to stop before (default: group; rebuild and copy: latest)', bound)
    .option('-k, --key <key>', 'choose events of this key; repeatable', listed)
    .option('-o, --order <id>', 'choose events of this order; repeatable', listed)
    .option('--type <event>', 'choose events of this type; repeatable', type)
    .option('--header <name[=value]>', 'choose events with this header; repeatable', header)
    .option('--to-topic <name>', 'copy: topic to write to')
    .option('--partitions', 'show every partition')
    .option('--out <file>', 'file to write the plan to')
    .option('--csv <file>', 'file to write the first offsets to, for kafka-consumer-groups.sh')
    .option('--force', 'overwrite existing files')
    .action(async (_options: unknown, command: Command) => plan(command.optsWithGlobals<Asked>(), signal))
}

async function plan(asked: Asked, signal: AbortSignal): Promise<void> {
  const { group = null, topic: topics, mode, from, to, toTopic, out, csv, force, json } = asked
  for (const file of [out, csv]) if (file !== undefined && !force) refuseExisting(file)
  const request = { mode, topics, from, to, toTopic, selector: selectorOf(asked) }
  await withReplayContext(loadConfig(), group, signal, async (context) => {
    const made = await planWatched(context, request, signal)
    if (out !== undefined) await writePlanFile(out, made, { overwrite: force })
    if (csv !== undefined) await writeCsv(csv, made)
    const refusals = await reasonsAgainst(context, made, {})
    if (json) printJson(made)
    else printReport(planReport(made, { ...asked, config: context.config, refusals }))
    if (json && refusals.length > 0) say(['The plan would be refused now:', ...refusals].join('\n  - '))
  })
}

async function planWatched(context: ReplayContext, request: PlanRequest, signal: AbortSignal): Promise<Plan> {
  let progress: Progress | undefined
  try {
    return await makePlan(context, request, {
      signal,
      onProgress: (offsets, total) => (progress ??= createProgress('Read', { total })).update(offsets),
    })
  } finally {
    progress?.finish()
  }
}

const selectorOf = ({ key = [], order = [], type: types, header: headers }: Asked): Selector => ({
  ...(key.length + order.length > 0 && { keys: [...key, ...order] }),
  ...(types && { types }),
  ...(headers && { headers }),
})

function refuseExisting(file: string): void {
  if (existsSync(file)) throw new TallyError('USAGE', `${file} exists already: --force overwrites it`)
}

async function writeCsv(file: string, made: Plan): Promise<void> {
  try {
    await writeFile(file, offsetsCsv(made))
  } catch (error) {
    throw new TallyError('USAGE', `the offsets are not written: ${describeError(error)}`, { cause: error })
  }
}

const listed = (text: string, before: readonly string[] = []): string[] => [...before, text]

function type(text: string, before: readonly EventType[] = []): EventType[] {
  const found = eventTypes.find((each) => each === text)
  if (!found) throw new InvalidArgumentError(`${unknownType(text)}.`)
  return [...before, found]
}

function header(text: string, before: NonNullable<Selector['headers']> = []): NonNullable<Selector['headers']> {
  const end = text.indexOf('=')
  const name = end < 0 ? text : text.slice(0, end)
  if (name === '') throw new InvalidArgumentError('A header is like ce_source or ce_source=/tally/payment.')
  return [...before, end < 0 ? { name } : { name, value: text.slice(end + 1) }]
}

function bound(text: string): RangeBound {
  try {
    return parseRangeBound(text)
  } catch (error) {
    throw isTallyError(error, 'USAGE') ? new InvalidArgumentError(`${error.message}.`) : error
  }
}
