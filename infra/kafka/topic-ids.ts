import { TallyError } from '../errors.ts'
import { answeringBroker, exchange, frame } from './raw-request.ts'

const apiKeyMetadata = 3
const version = 12

/**
 * Reads the ids of topics from the broker. A topic that is deleted and re-created under its name has another id, and its
 * offsets mean other events; nothing else in the protocol shows this. kafkajs supports Metadata up to version 6 and ids came
 * with version 10, so this request is made here (plaintext listeners only).
 * Source: Apache Kafka protocol guide, Metadata API, version 12.
 * @param brokers host:port
 * @returns id by topic, hexadecimal; topics the broker does not know are absent
 * @throws TallyError UNREACHABLE
 */
export async function readTopicIds(
  brokers: readonly string[],
  topics: readonly string[],
): Promise<Map<string, string>> {
  try {
    return decodeTopicIds(await exchange(await answeringBroker(brokers), encodeRequest(topics)))
  } catch (error) {
    throw new TallyError('UNREACHABLE', `Kafka does not answer at ${brokers.join(', ')}`, { cause: error })
  }
}

function encodeRequest(topics: readonly string[]): Buffer {
  const names = topics.map((topic) => {
    const name = Buffer.from(topic)
    return Buffer.concat([Buffer.alloc(16), varint(name.length + 1), name, noTags])
  })
  const neitherCreateNorAuthorize = Buffer.from([0, 0])
  const body = [noTags, varint(topics.length + 1), ...names, neitherCreateNorAuthorize, noTags]
  return frame(apiKeyMetadata, version, Buffer.concat(body))
}

const noTags = Buffer.from([0])

function varint(value: number): Buffer {
  const bytes = []
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80)
  return Buffer.from([...bytes, value])
}

function decodeTopicIds(answer: Buffer): Map<string, string> {
  let at = 4 // correlation id
  const skip = (bytes: number) => void (at += bytes)
  const unsigned = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = answer.readUInt8(at++)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const text = () => {
    const length = unsigned() - 1
    if (length < 0) return ''
    skip(length)
    return answer.toString('utf8', at - length, at)
  }
  const tags = () => {
    for (let count = unsigned(); count > 0; count--) {
      unsigned()
      skip(unsigned())
    }
  }
  const each = (read: () => void) => {
    for (let count = unsigned() - 1; count > 0; count--) read()
  }
  const ids = new Map<string, string>()
  tags()
  skip(4) // throttle time
  each(() => (skip(4), text(), skip(4), text(), tags())) // brokers
  text() // cluster id
  skip(4) // controller
  each(() => {
    const error = answer.readInt16BE(at)
    skip(2)
    const name = text()
    const id = answer.toString('hex', at, at + 16)
    skip(16 + 1) // id, internal or not
    each(() => (skip(2 + 3 * 4), each(() => skip(4)), each(() => skip(4)), each(() => skip(4)), tags())) // partitions
    skip(4) // authorized operations
    tags()
    if (error === 0) ids.set(name, id)
  })
  return ids
}
