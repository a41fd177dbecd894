import type { ReadableValue } from './read-value.ts'
import type { Edit } from './edit-parked.ts'
import { restoreHeaders } from '../../runtime/tables/parked-row.ts'
import type { ParkedRow } from '../../runtime/tables/parked-row.ts'
import { TallyError } from '../../../infra/errors.ts'
import { isObject, readAvroJson } from '../../../producers/event-json/avro-json.ts'
import { unknownType } from '../../../producers/event-json/event-type-names.ts'
import { fromHeaders } from '../../../schemas/envelope.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import { loadSchemas } from '../../../schemas/load-schemas.ts'
import { findFault } from '../../../schemas/validate.ts'

/** The event type of a parked record, decoded or from its headers. */
export const typeOfRecord = (row: ParkedRow, value: ReadableValue): EventType | undefined =>
  value.kind === 'event' ? value.type : fromHeaders(restoreHeaders(row.headers)).type

/** The JSON to edit: the event's data, or the answer. */
export function editableJson(value: ReadableValue): object {
  if (value.kind === 'event') return value.data
  if (value.kind === 'intent' && 'answer' in value.json) return value.json.answer as object
  return {}
}

/**
 * Reads an edit: the data of the event, or the answer to the call.
 * @param type of the event
 * @throws TallyError USAGE naming every field that is wrong
 */
export function readEdit(text: string, row: ParkedRow, type: string | undefined): Edit {
  const json = parse(text)
  if (!isObject(json)) throw new TallyError('USAGE', 'The value is not a JSON object')
  if (row.source === 'answer') return { answer: json }
  if (row.source === 'timer')
    throw new TallyError('USAGE', 'A timer says nothing that could be edited: redrive or drop it')
  if (type === undefined) throw new TallyError('USAGE', 'The record does not say what event it is: add --type')
  const schema = loadSchemas().find((known) => known.type === type)
  if (!schema) throw new TallyError('USAGE', unknownType(type))
  const faults: string[] = []
  const data = readAvroJson(schema.record, json, 'data', faults)
  const fault = faults.length === 0 ? findFault(schema.type, data as never) : undefined
  if (fault !== undefined) faults.push(`data.${fault}`)
  if (faults.length > 0) throw new TallyError('USAGE', `${type}: ${faults.join('; ')}`)
  return { type: schema.type, data: data as never }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new TallyError('USAGE', `The value is not JSON: ${(error as Error).message}`)
  }
}

/** `lines[0].quantity: 1 → 2`, one for each field that differs; also for each element by which a list grew or shrank at its end. */
export function changedFields(before: unknown, after: unknown, show = textOf, path = ''): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    return names.flatMap((name) => changedFields(before[name], after[name], show, path ? `${path}.${name}` : name))
  }
  if (Array.isArray(before) && Array.isArray(after) && haveSameStart(before, after)) {
    const longer = Math.max(before.length, after.length)
    return [...Array(longer).keys()].flatMap((at) => changedFields(before[at], after[at], show, `${path}[${at}]`))
  }
  return [`${path || 'value'}: ${show(before)} → ${show(after)}`]
}

const textOf = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value))

/** Where lists of different lengths differ elsewhere, too, something was put in between: no element has its counterpart. */
const haveSameStart = (before: readonly unknown[], after: readonly unknown[]): boolean => {
  const both = Math.min(before.length, after.length)
  const [start, other] = [before, after].map((list) => JSON.stringify(list.slice(0, both)))
  return before.length === after.length || start === other
}
