import type { IHeaders, KafkaMessage } from 'kafkajs'
import type { Codec } from '../../../../schemas/codec/codec.ts'
import type { Selector } from '../plan.ts'

/** Whether a selector matches a record. Types follow from the schema id, which the codec must have learnt. */
export function matches(
  { keys, types, headers }: Selector,
  { key, value, headers: found }: KafkaMessage,
  codec: Pick<Codec, 'schemaIdOf' | 'typeOf'>,
): boolean {
  if (keys && !(key && keys.includes(key.toString('utf8')))) return false
  if (types) {
    const type = codec.typeOf(codec.schemaIdOf(value) ?? -1)
    if (!type || !types.includes(type)) return false
  }
  return !headers || headers.some(({ name, value: wanted }) => hasHeader(found, name, wanted))
}

function hasHeader(headers: IHeaders | undefined, name: string, wanted: string | undefined): boolean {
  const values: (string | Buffer | null)[] = [headers?.[name] ?? []].flat() // A repeated header may have a null value
  return values.some((value) => wanted === undefined || value?.toString('utf8') === wanted)
}
