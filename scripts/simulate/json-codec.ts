import { TallyError } from '../../infra/errors.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import type { DecodedEvent } from '../../schemas/codec/decoder.ts'
import { headerBytes, schemaIdOf, writeHeader } from '../../schemas/codec/framing.ts'
import { eventTypes } from '../../schemas/topics.ts'

/**
 * Events as JSON in the usual framing. What Avro does to them is not at stake here.
 * @param unreadable what today's schemas cannot read; they may be able to later
 */
export const jsonCodec = (registry: { down: boolean }, unreadable: (data: object) => boolean): Codec => ({
  encode: (type, data) => {
    const body = JSON.stringify(data)
    const bytes = Buffer.alloc(headerBytes + Buffer.byteLength(body))
    writeHeader(bytes, 0, eventTypes.indexOf(type) + 1)
    bytes.write(body, headerBytes)
    return bytes
  },
  schemaIdOf,
  learn: async () => {
    if (registry.down) throw new TallyError('UNREACHABLE', 'the registry does not answer')
  },
  typeOf: (schemaId) => eventTypes[schemaId - 1],
  whyUnreadable: (schemaId) => (eventTypes[schemaId - 1] ? undefined : 'of no event'),
  decode: (value) => {
    const type = eventTypes[(schemaIdOf(value) ?? 0) - 1]
    if (!value || !type) throw new TallyError('UNREADABLE', 'not framed')
    const data = parsed(value.toString('utf8', headerBytes))
    if (unreadable(data)) throw new TallyError('UNREADABLE', 'its schema is not known yet')
    return { type, data } as DecodedEvent
  },
})

function parsed(text: string): object {
  try {
    return JSON.parse(text) as object
  } catch (error) {
    throw new TallyError('UNREADABLE', 'not JSON', { cause: error })
  }
}
