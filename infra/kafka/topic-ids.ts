import { TallyError } from '../errors.ts'
import { answeringBroker, exchange, frame } from './raw-request.ts'
import { ResponseReader } from './response-reader.ts'

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

/** @param answer the response with its correlation id, without its size */
export function decodeTopicIds(answer: Buffer): Map<string, string> {
  const response = new ResponseReader(answer)
  const ids = new Map<string, string>()
  response.skip(4) // Correlation id
  response.skipTags()
  response.skip(4) // Throttle time
  response.each(() => skipBroker(response))
  response.text() // Cluster id
  response.skip(4) // Controller
  response.each(() => {
    const error = response.int16()
    const name = response.text()
    const id = response.hex(16)
    response.skip(1) // Whether it is internal
    response.each(() => skipPartition(response))
    response.skip(4) // Authorized operations
    response.skipTags()
    if (error === 0) ids.set(name, id)
  })
  return ids
}

function skipBroker(response: ResponseReader): void {
  response.skip(4) // Id
  response.text() // Host
  response.skip(4) // Port
  response.text() // Rack
  response.skipTags()
}

function skipPartition(response: ResponseReader): void {
  response.skip(2 + 3 * 4) // Error, partition, leader, epoch
  for (let list = 0; list < 3; list++) response.each(() => response.skip(4)) // Replicas, in sync, offline
  response.skipTags()
}
