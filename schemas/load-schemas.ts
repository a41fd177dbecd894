import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TallyError, describeError } from '../infra/errors.ts'
import { parseSchema, simpleName } from './avro-schema.ts'
import type { RecordType } from './avro-schema.ts'
import type { EventType } from './generated/events.ts'

export interface EventSchema {
  /** Name of the event type, which is that of its file. */
  type: EventType
  schema: object
  /** The schema as one line in canonical form, because registries compare text. */
  json: string
  record: RecordType
}

/**
 * Reads every event's schema, in order of name.
 * @throws TallyError SCHEMA_INVALID naming the file that is not an event's schema
 */
export function loadSchemas(folder: string = join(import.meta.dirname, 'avro')): EventSchema[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.avsc'))
  return files.toSorted().map((file) => {
    try {
      return loadSchema(join(folder, file), file.slice(0, -'.avsc'.length))
    } catch (error) {
      throw new TallyError('SCHEMA_INVALID', `schemas/avro/${file}: ${describeError(error)}`)
    }
  })
}

function loadSchema(path: string, type: string): EventSchema {
  const schema: object = JSON.parse(readFileSync(path, 'utf8'))
  const record = parseSchema(schema)
  if (record.kind !== 'record') throw new TallyError('SCHEMA_INVALID', 'an event is a record')
  if (simpleName(record.name) !== type)
    throw new TallyError('SCHEMA_INVALID', `the record is named ${simpleName(record.name)}`)
  return { type: type as EventType, schema, json: JSON.stringify(schema), record }
}
