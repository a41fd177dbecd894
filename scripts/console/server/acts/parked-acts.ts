import { z } from 'zod'
import { asCounted, countChosen, totalOf } from '../../../../consumers/operations/parked/parked-records.ts'
import { choose, findEvents, parseEventName } from '../../../../consumers/operations/parked/choose-parked.ts'
import type { Chosen, EventName } from '../../../../consumers/operations/parked/choose-parked.ts'
import { dropChosen } from '../../../../consumers/operations/parked/drop-parked.ts'
import { dryRunParked } from '../../../../consumers/operations/parked/dry-run-parked.ts'
import type { DryRunParkedOptions } from '../../../../consumers/operations/parked/dry-run-parked.ts'
import { lastActs } from '../../../../consumers/operations/parked/last-acts.ts'
import { prepareEdits, writeEdits } from '../../../../consumers/operations/parked/mend-parked.ts'
import type { PreparedEdit } from '../../../../consumers/operations/parked/mend-parked.ts'
import { askChosen, eventsOf, seeThrough } from '../../../../consumers/operations/parked/redrive-parked.ts'
import type { AskedOfGroup } from '../../../../consumers/operations/parked/redrive-parked.ts'
import { TallyError } from '../../../../infra/errors.ts'
import { count } from '../../../cli/figures.ts'
import { redriveReport } from '../../../parked/redrive.ts'
import type { Done } from '../../contract/problem.ts'
import type { ConsoleContext } from '../context.ts'
import { seenOf } from '../pages/parked.ts'
import { act, why } from './act.ts'
import type { Act } from './act.ts'
import { dryRunResult } from './dry-run-result.ts'
import type { JobControl, Jobs } from './jobs.ts'
import { npmRun } from './shell-words.ts'

const selection = {
  /** `payment/17` */
  events: z.array(z.string()).max(1_000).optional(),
  group: z.string().optional(),
  cause: z.string().optional(),
  key: z.string().optional(),
}
type Selected = z.infer<z.ZodObject<typeof selection>>

/** What operators do to parked events. */
export function parkedActs(context: ConsoleContext, jobs: Jobs): Record<string, Act> {
  const chosenOf = async ({ events, group, cause, key }: Selected): Promise<Chosen[]> => {
    if (!events && !group && !cause && !key) throw new TallyError('USAGE', 'No events are chosen')
    const groups = (await context.groups()).filter(({ name }) => group === undefined || name === group)
    return choose(groups, {
      id: events?.map(nameOf),
      cause: cause === undefined ? undefined : [cause],
      key: key === undefined ? undefined : [key],
    })
  }
  const dryRun = (
    title: string,
    command: string,
    chosen: readonly Chosen[],
    asIf?: DryRunParkedOptions['asIf'],
  ): Done => ({
    said: [title],
    command,
    job: jobs.start({
      title,
      async work({ signal, say }) {
        const { results, keys, codec } = await dryRunParked(context.config, chosen, {
          signal,
          asIf,
          onKey: ({ group, key }) => say([`${group}, key ${key}`]),
        })
        const lines = [
          `${count(results.length)} of ${count(keys, 'key')} tried. Nothing was changed, published or called.`,
        ]
        return { lines, result: dryRunResult(results, keys, codec) }
      },
    }),
  })
  const follow = (asked: readonly AskedOfGroup[], control: JobControl) => followRedrive(context, asked, control)

  return {
    'parked-dry-run': act(z.object(selection), async (selected) =>
      dryRun(
        'Dry run of a redrive',
        npmRun('parked', 'redrive', ...words(selected), '--dry-run'),
        await chosenOf(selected),
      ),
    ),

    'parked-redrive': act(
      z.object({ ...selection, why: why.optional(), rate: z.number().positive().max(100_000).optional() }),
      async ({ why: reason, rate, ...selected }, who) => {
        const chosen = await chosenOf(selected)
        const counts = await countChosen(chosen)
        if (totalOf(counts) === 0) throw await goneMeanwhile(chosen)
        const command = npmRun(
          ...['parked', 'redrive', ...words(selected)],
          ...['--why', reason].filter(() => reason !== undefined),
          ...['--rate', String(rate)].filter(() => rate !== undefined),
        )
        const title = `Redrive of ${count(totalOf(counts), 'parked event')}`
        const job = jobs.start({
          title,
          async work(control) {
            const { signal, say } = control
            const asked = await askChosen(
              asCounted(chosen, counts),
              { actor: who, why: reason },
              {
                signal,
                ratePerSecond: rate,
                onProgress: (group, events) => say([`${group}: ${count(events, 'event')} due now`]),
              },
            )
            return follow(asked, control)
          },
        })
        return { said: [title], command, job }
      },
    ),

    'parked-drop': act(z.object({ ...selection, why }), async ({ why: reason, ...selected }, who) => {
      const chosen = await chosenOf(selected)
      const counts = await countChosen(chosen)
      const dropped = await dropChosen(
        asCounted(chosen, counts),
        { actor: who, why: reason },
        { signal: AbortSignal.timeout(60_000) },
      )
      const events = dropped.reduce((sum, each) => sum + each.events, 0)
      if (events === 0) throw await goneMeanwhile(chosen)
      return {
        said: [`${count(events, 'event')} dropped. Events that waited behind them are due now.`],
        command: npmRun('parked', 'drop', ...words(selected), '--why', reason),
      }
    }),

    'parked-edit': act(
      z.object({
        event: z.string(),
        value: z.string().max(1_000_000),
        type: z.string().optional(),
        /** As the page got it with the event. */
        seen: z.string(),
        dryRun: z.boolean().default(false),
        redrive: z.boolean().default(true),
        why: z.string().trim().max(500).default(''),
      }),
      async ({ event, value, type, seen, dryRun: onlyTry, redrive, why: reason }, who) => {
        if (!onlyTry && reason === '') throw new TallyError('USAGE', 'Say why: other operators will read it')
        const events = await findEvents(await context.groups(), nameOf(event))
        const prepared = await prepareEdits(
          context.config,
          events,
          { text: () => value, type },
          AbortSignal.timeout(30_000),
        )
        refuseChanged(prepared, seen)
        const given = ['edit', event, '--value', value, ...(type === undefined ? [] : ['--type', type])]
        if (onlyTry) {
          const values = new Map(prepared.map(({ group, id, edited }) => [`${group.name}/${id}`, edited.value]))
          const chosen = prepared.map(({ group, id }) => ({ group, selection: { ids: [id] } }))
          const command = npmRun('parked', ...given, '--why', reason || 'trying', '--dry-run')
          return dryRun('Dry run of the edit', command, chosen, (group, row) => ({
            ...row,
            value: values.get(`${group}/${row.id}`) ?? row.value,
          }))
        }
        const { outcomes, asked } = await writeEdits(
          prepared,
          { actor: who, why: reason },
          {
            redrive,
            signal: AbortSignal.timeout(30_000),
          },
        )
        const failed = outcomes.find(({ outcome }) => outcome === 'failed')
        if (failed) throw new TallyError('PRECONDITION_FAILED', `${event} is not changed: ${failed.error}`)
        const command = npmRun('parked', ...given, '--why', reason, ...(redrive ? [] : ['--no-redrive']))
        const isSame = outcomes.every(({ outcome }) => outcome === 'unchanged')
        const said = isSame
          ? [`${event} says so already; nothing was changed.`]
          : [`${event} is changed; the bytes before are in the audit.`]
        if (asked.length === 0) return { said, command }
        const job = jobs.start({ title: `Redrive of ${event}`, work: (control) => follow(asked, control) })
        return { said, command, job }
      },
    ),
  }
}

/** Says who was faster, as far as it is known. */
async function goneMeanwhile(chosen: readonly Chosen[]): Promise<TallyError> {
  const acts = await lastActs(chosen)
  return new TallyError('PRECONDITION_FAILED', ['None of these events is parked any more', ...acts].join('; '))
}

function nameOf(text: string): EventName {
  const name = parseEventName(text)
  if (!name) throw new TallyError('USAGE', `"${text}" is not a parked event: they are named like payment/17`)
  return name
}

const words = ({ events = [], group, cause, key }: Selected): string[] => [
  ...events,
  ...(group === undefined ? [] : ['--group', group]),
  ...(cause === undefined ? [] : ['--cause', cause]),
  ...(key === undefined ? [] : ['--key', key]),
]

/** @throws TallyError PRECONDITION_FAILED if another operator has changed the event since the page got it */
function refuseChanged(prepared: readonly PreparedEdit[], seen: string): void {
  const changed = prepared.find(({ edited: { row } }) => seenOf(row.value) !== seen)
  if (changed)
    throw new TallyError(
      'PRECONDITION_FAILED',
      `${changed.group.name}/${changed.id} was edited by another operator since you opened it: its audit says by whom. Look at it again`,
    )
}

async function followRedrive(
  { config }: ConsoleContext,
  asked: readonly AskedOfGroup[],
  { signal, say }: JobControl,
): Promise<{ lines: string[]; failed: boolean }> {
  const total = asked.reduce((sum, { keys }) => sum + eventsOf(keys), 0)
  const handled = new Map<string, number>()
  const groups = await seeThrough(config, asked, {
    signal,
    onProgress(group, outcome) {
      handled.set(group, outcome.handled + outcome.duplicates + outcome.dropped)
      const done = [...handled.values()].reduce((sum, events) => sum + events, 0)
      const failed = outcome.failed.length > 0 ? `, ${count(outcome.failed.length, 'key')} failed again` : ''
      say([`${count(done)} of ${count(total, 'event')} handled${failed}`], total === 0 ? 1 : done / total)
    },
  })
  const { verdict, parts } = redriveReport(groups)
  const failures = groups.flatMap(({ group, outcome: { failed } }) =>
    failed.map(({ id, reason, error }) => `${group}/${id} failed again: ${reason}${error ? `: ${error}` : ''}`),
  )
  const last = parts?.at(-1)
  const obstacles = typeof last === 'string' && last !== '' ? last.split('\n') : []
  return {
    lines: [verdict, ...failures.slice(0, 10), ...obstacles],
    failed: groups.some(({ outcome: { failed, pending } }) => failed.length + pending.length > 0),
  }
}
