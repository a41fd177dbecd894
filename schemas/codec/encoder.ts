import avro from 'avsc'
import type { Schema, Type } from 'avsc'
import { describeError, TallyError } from '../../infra/errors.ts'
import { headerBytes, writeHeader } from './framing.ts'
import type { EventData, EventType } from '../generated/events.ts'
import type { EventSchema } from '../load-schemas.ts'
import { findFault } from '../validate.ts'

/** @throws TallyError INVARIANT naming the wrong field: encoding is the last check */
export type Encode = <T extends EventType>(type: T, data: EventData[T]) => Buffer

/** Events are written into shared blocks of this size, bytes: twice as fast as a buffer for each. */
const blockBytes = 64 * 1024

/** @param ids schema ids in the registry of the events to write */
export function createEncoder(schemas: readonly EventSchema[], ids: ReadonlyMap<EventType, number>): Encode {
  const writers = new Map<EventType, Type>()
  for (const { type, schema } of schemas) if (ids.has(type)) writers.set(type, avro.Type.forSchema(schema as Schema))
  let block = Buffer.allocUnsafeSlow(blockBytes)
  let used = 0
  return (type, data) => {
    const writer = writers.get(type)
    const schemaId = ids.get(type)
    if (!writer || schemaId === undefined) throw new TallyError('INVARIANT', `this codec was not made to write ${type}`)
    let end = write(writer, data, block, used + headerBytes)
    if (end < 0) {
      const length = block.length - used - end // Negative: the number of missing bytes
      block = Buffer.allocUnsafeSlow(Math.max(blockBytes, length))
      used = 0
      end = write(writer, data, block, headerBytes)
    }
    const fault = findFault(type, data)
    if (fault !== undefined) throw new TallyError('INVARIANT', `${type}: ${fault}`)
    writeHeader(block, used, schemaId)
    const value = block.subarray(used, end)
    used = end
    return value
  }
}

function write(writer: Type, data: object, block: Buffer, position: number): number {
  try {
    return writer.encode(data, block, position)
  } catch (error) {
    const paths: string[] = []
    writer.isValid(data, { errorHook: (path) => paths.push(path.join('.')) })
    throw new TallyError(
      'INVARIANT',
      `${writer.name} does not fit its schema: ${paths.join(', ') || describeError(error)}`,
    )
  }
}
