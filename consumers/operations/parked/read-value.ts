import { describeError, isTallyError } from '../../../infra/errors.ts'
import type { ErrorCode } from '../../../infra/errors.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import type { ParkedRow } from '../../runtime/tables/parked-row.ts'

/** The value of a parked event, as far as today's schemas and code can read it. */
export type ReadableValue =
  | { readonly kind: 'event'; readonly type: EventType; readonly data: object }
  | { readonly kind: 'intent'; readonly json: object }
  | { readonly kind: 'bytes'; readonly why: string; readonly bytes: Buffer }

type Reader = Pick<Codec, 'schemaIdOf' | 'learn' | 'decode'>

const shownAsBytes: ReadonlySet<ErrorCode> = new Set(['UNREADABLE', 'UNREACHABLE', 'DENIED'])

/**
 * @param codec without it, or if its registry does not answer, records are shown as bytes
 * @param value another value of the same source, instead of the row's
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
    if (!codec)
      return {
        kind: 'bytes',
        why: 'the schema registry does not answer or denies access',
        bytes: value ?? Buffer.alloc(0),
      }
    const { type, data } = codec.decode(value)
    return { kind: 'event', type, data }
  } catch (error) {
    if (!isTallyError(error) || !shownAsBytes.has(error.code)) throw error
    return { kind: 'bytes', why: describeError(error), bytes: value ?? Buffer.alloc(0) }
  }
}
