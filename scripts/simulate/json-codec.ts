import { TallyError } from '../../infra/errors.ts'
import type { Codec } from '../../schemas/codec/codec.ts'
import type { DecodedEvent } from '../../schemas/codec/decoder.ts'
import { headerBytes, schemaIdOf, writeHeader } from '../../schemas/codec/framing.ts'
import { eventTypes } from '../../schemas/topics.ts'

/**
 * Encodes events as JSON with the magic byte and schema id of the registry's format.
 * @param unreadable data that no known schema can read; may change during the run
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
  nameOf: (schemaId) => eventTypes[schemaId - 1],
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
