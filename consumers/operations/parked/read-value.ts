import { describeError, isTallyError } from '../../../infra/errors.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import type { ParkedRow } from '../../runtime/tables/parked-row.ts'

/** What a parked event says, as far as today's schemas and code can tell. */
export type ReadableValue =
  | { readonly kind: 'event'; readonly type: EventType; readonly data: object }
  | { readonly kind: 'intent'; readonly json: object }
  | { readonly kind: 'bytes'; readonly why: string; readonly bytes: Buffer }

type Reader = Pick<Codec, 'schemaIdOf' | 'learn' | 'decode'>

/**
 * @param codec absent, or not answering: then records are bytes
 * @param value another one than the row's own, of the same source
 */
export async function readValue(
  row: Pick<ParkedRow, 'source' | 'value'>,
  codec: Reader | undefined,
  value: Buffer | null = row.value,
): Promise<ReadableValue> {
  if (row.source !== 'record') return { kind: 'intent', json: JSON.parse(String(value)) as object }
  try {
    const schemaId = codec?.schemaIdOf(value)
    if (schemaId !== undefined) await codec?.learn([schemaId])
    if (!codec) return { kind: 'bytes', why: 'the schema registry does not answer', bytes: value ?? Buffer.alloc(0) }
    const { type, data } = codec.decode(value)
    return { kind: 'event', type, data }
  } catch (error) {
    if (!isTallyError(error, 'UNREADABLE') && !isTallyError(error, 'UNREACHABLE')) throw error
    return { kind: 'bytes', why: describeError(error), bytes: value ?? Buffer.alloc(0) }
  }
}
