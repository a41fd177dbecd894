import type { Chosen } from '../../consumers/operations/parked/choose-parked.ts'
import type { DryRunEvent, KeyDryRun } from '../../consumers/operations/parked/dry-run-key.ts'
import { dryRunParked, keysAtMost } from '../../consumers/operations/parked/dry-run-parked.ts'
import type { DryRunParkedOptions, GroupKeyDryRun } from '../../consumers/operations/parked/dry-run-parked.ts'
import type { Config } from '../../infra/config.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import { printJson } from '../cli/command.ts'
import { count } from '../cli/figures.ts'
import { during } from '../cli/progress.ts'
import { printReport } from '../cli/report.ts'
import type { Report } from '../cli/report.ts'
import { callLine, changeLines, short, tableLine, timerLine } from './effect-lines.ts'
import { printable } from './printable.ts'

/** Shows what a redrive would do, key by key; nothing of it happens. */
export async function printDryRun(
  config: Config,
  chosen: readonly Chosen[],
  { json, asIf }: Pick<DryRunParkedOptions, 'asIf'> & { json?: boolean },
  signal: AbortSignal,
): Promise<void> {
  const trying = dryRunParked(config, chosen, { signal, asIf })
  const { results, keys, codec } = await during('Trying the events without effect', trying)
  if (json) printJson({ dryRuns: results.map((result) => jsonOf(result, codec)) })
  else printReport(dryRunReport(results, keys, codec))
}

/** What a redrive would do, key by key. */
export const dryRunReport = (
  results: readonly GroupKeyDryRun[],
  keys: number,
  codec: Pick<Codec, 'decode'>,
): Report => ({
  verdict:
    results.length === 0
      ? 'No parked event matches.'
      : `Dry run of ${count(results.length)} of ${count(keys, 'key')}: nothing was changed, published or called.`,
  parts: [
    results.length < keys ? `At most ${keysAtMost} keys of each group are tried.` : undefined,
    ...results.map((result) => lines(result.group, result, codec).join('\n')),
  ],
})

const readable = (codec: Pick<Codec, 'decode'>, { eventId, topic, key, value }: DryRunEvent['events'][number]) => {
  const { type, data } = codec.decode(value)
  return { eventId, topic, key, type, data }
}

const jsonOf = ({ events, ...rest }: KeyDryRun, codec: Pick<Codec, 'decode'>): object => ({
  ...rest,
  events: events.map((event) => ({ ...event, events: event.events.map((emitted) => readable(codec, emitted)) })),
})

function lines(
  group: string,
  { lane, key, events, left, states, shared, tables }: KeyDryRun,
  codec: Pick<Codec, 'decode'>,
): string[] {
  const behind = left > 0 ? `, ${left} would stay parked` : ''
  return [
    `${group}, key ${printable(key)}, lane ${lane}: ${events.length} tried${behind}`,
    ...events.flatMap(({ id, type, outcome, error, events: emitted, calls, timers }) => [
      `  ${group}/${id} ${type ?? 'unknown'}: ${outcome}${error ? `: ${printable(error)}` : ''}`,
      ...emitted.map((event) => {
        const { type: emittedType, data, topic } = readable(codec, event)
        return `    event ${emittedType} to ${topic}: ${short(data)}`
      }),
      ...calls.map((call) => `    ${callLine(call)}`),
      ...timers.map((timer) => `    ${timerLine(timer)}`),
    ]),
    ...changeLines('state of', states),
    ...changeLines('shared row', shared),
    ...tables.map((table) => `  ${tableLine(table)}`),
  ]
}
