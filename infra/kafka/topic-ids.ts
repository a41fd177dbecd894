import type { Kafka } from 'kafkajs'
import { TallyError } from '../errors.ts'
import type { Cluster } from './cluster.ts'
import type { Kept } from './kept.ts'
import { compactBytes, noTags, unsignedVarint } from './request-fields.ts'
import { sendRequest } from './send-request.ts'
import { ResponseReader } from './response-reader.ts'

const apiKeyMetadata = 3
const version = 12

/**
 * Reads the ids of topics from the broker. A topic that is deleted and re-created under its name has another id, and its
 * offsets mean other events; nothing else in the protocol shows this. kafkajs supports Metadata up to version 6 and ids came
 * with version 10, so this request is made here.
 * Source: Apache Kafka protocol guide, Metadata API, version 12.
 * @param to see `sendRequest`
 * @returns id by topic, hexadecimal; topics the broker does not know are absent
 * @throws TallyError UNREACHABLE
 */
export async function readTopicIds(to: Kafka | Kept<Cluster>, topics: readonly string[]): Promise<Map<string, string>> {
  try {
    const request = { name: 'Metadata', apiKey: apiKeyMetadata, version, body: encodeBody(topics) }
    return decodeTopicIds(await sendRequest(to, request))
  } catch (error) {
    throw new TallyError('UNREACHABLE', 'Kafka does not answer', { cause: error })
  }
}

function encodeBody(topics: readonly string[]): Buffer {
  const anyId = Buffer.alloc(16)
  const names = topics.map((topic) => Buffer.concat([anyId, compactBytes(Buffer.from(topic)), noTags]))
  const neitherCreateNorAuthorize = Buffer.from([0, 0])
  const body = [noTags, unsignedVarint(topics.length + 1), ...names, neitherCreateNorAuthorize, noTags]
  return Buffer.concat(body)
}

/** @param answer the response behind its correlation id */
export function decodeTopicIds(answer: Buffer): Map<string, string> {
  const response = new ResponseReader(answer)
  const ids = new Map<string, string>()
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
