import { loadConsumer } from '../../consumers/runtime/load-consumer.ts'
import { selectedKeys } from '../../consumers/operations/parked/list-parked.ts'
import type { ParkedRow } from '../../consumers/runtime/tables/parked-row.ts'
import { rehearseKey } from '../../consumers/operations/parked/rehearse.ts'
import type { Rehearsal, RehearsedEvent } from '../../consumers/operations/parked/rehearse.ts'
import type { Config } from '../../infra/config.ts'
import { currentConfig } from '../../infra/topic-generations/current-config.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import { printJson, say } from '../cli/command.ts'
import { countChosen } from './ls.ts'
import type { Chosen } from '../../consumers/operations/parked/choose-parked.ts'
import { callLine, changeLines, short, tableLine, timerLine } from './effect-lines.ts'
import { printable } from './printable.ts'
import { connectCodec } from '../../consumers/operations/connect-codec.ts'

export interface RehearseOptions {
  json?: boolean
  /** As if this had been edited already. */
  asIf?(row: ParkedRow): ParkedRow
}

const keysAtMost = 20

/** Shows what a redrive would do, key by key; nothing of it happens. */
export async function rehearse(
  config: Config,
  chosen: readonly Chosen[],
  { json, asIf }: RehearseOptions,
  signal: AbortSignal,
): Promise<void> {
  const codec = await connectCodec(config, signal)
  const results: object[] = []
  let rehearsed = 0
  for (const { lot, selection } of chosen) {
    const definition = await loadConsumer(lot.group, config)
    const { partitions } = await currentConfig(config, lot.pool)
    const keys = await selectedKeys(lot.pool, selection, keysAtMost)
    for (const { lane, key } of keys) {
      signal.throwIfAborted()
      const options = { definition, pool: lot.pool, codec, partitions, asIf }
      const rehearsal = await rehearseKey(lane, key, options)
      rehearsed++
      if (json) results.push({ group: lot.group, ...jsonOf(rehearsal, codec) })
      else process.stdout.write(`${lines(lot.group, rehearsal, codec).join('\n')}\n\n`)
    }
  }
  const counts = await countChosen(chosen)
  const keys = counts.reduce((sum, { heads }) => sum + heads, 0)
  if (json) printJson({ rehearsals: results })
  else if (rehearsed === 0) say('Nothing is parked that matches')
  if (rehearsed < keys) say(`Rehearsed ${rehearsed} of ${keys} keys, at most ${keysAtMost} of a group`)
  if (rehearsed > 0) say('Rehearsed only: nothing was changed, published or called')
}

const readable = (codec: Codec, { eventId, topic, key, value }: RehearsedEvent['events'][number]) => {
  const { type, data } = codec.decode(value)
  return { eventId, topic, key, type, data }
}

const jsonOf = ({ events, ...rest }: Rehearsal, codec: Codec): object => ({
  ...rest,
  events: events.map((event) => ({ ...event, events: event.events.map((emitted) => readable(codec, emitted)) })),
})

function lines(group: string, { lane, key, events, left, states, shared, tables }: Rehearsal, codec: Codec): string[] {
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
