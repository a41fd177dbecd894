import { TallyError } from '../../infra/errors.ts'
import type { Codec } from '../../schemas/codec.ts'
import type { DecodedEvent } from '../../schemas/decoder.ts'
import { headerBytes, schemaIdOf, writeHeader } from '../../schemas/framing.ts'
import { eventTypes } from '../../schemas/topics.ts'

/** Events as JSON in the usual framing. What Avro does to them is not at stake here. */
export const jsonCodec = (registry: { down: boolean }): Codec => ({
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
  decode: (value) => {
    const type = eventTypes[(schemaIdOf(value) ?? 0) - 1]
    if (!value || !type) throw new TallyError('UNREADABLE', 'not framed')
    try {
      return { type, data: JSON.parse(value.toString('utf8', headerBytes)) } as DecodedEvent
    } catch (error) {
      throw new TallyError('UNREADABLE', 'not JSON', { cause: error })
    }
  },
})
