import type { Chosen } from '../../consumers/operations/parked/choose-parked.ts'
import type { DryRunEvent, KeyDryRun } from '../../consumers/operations/parked/dry-run-key.ts'
import { dryRunParked, keysAtMost } from '../../consumers/operations/parked/dry-run-parked.ts'
import type { DryRunParkedOptions } from '../../consumers/operations/parked/dry-run-parked.ts'
import type { Config } from '../../infra/config.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import { printJson, say } from '../cli/command.ts'
import { callLine, changeLines, short, tableLine, timerLine } from './effect-lines.ts'
import { printable } from './printable.ts'

/** Shows what a redrive would do, key by key; nothing of it happens. */
export async function printDryRun(
  config: Config,
  chosen: readonly Chosen[],
  { json, asIf }: Pick<DryRunParkedOptions, 'asIf'> & { json?: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { results, keys, codec } = await dryRunParked(config, chosen, {
    signal,
    asIf,
    onKey: (result, reader) => {
      if (!json) process.stdout.write(`${lines(result.group, result, reader).join('\n')}\n\n`)
    },
  })
  if (json) printJson({ dryRuns: results.map((result) => jsonOf(result, codec)) })
  else if (results.length === 0) say('Nothing is parked that matches')
  if (results.length < keys) say(`${results.length} of ${keys} keys were tried, at most ${keysAtMost} of each group`)
  if (results.length > 0) say('Dry run: nothing was changed, published or called')
}

const readable = (codec: Codec, { eventId, topic, key, value }: DryRunEvent['events'][number]) => {
  const { type, data } = codec.decode(value)
  return { eventId, topic, key, type, data }
}

const jsonOf = ({ events, ...rest }: KeyDryRun, codec: Codec): object => ({
  ...rest,
  events: events.map((event) => ({ ...event, events: event.events.map((emitted) => readable(codec, emitted)) })),
})

function lines(group: string, { lane, key, events, left, states, shared, tables }: KeyDryRun, codec: Codec): string[] {
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
