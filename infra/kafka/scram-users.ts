import { pbkdf2Sync, randomBytes } from 'node:crypto'
import type { Kafka } from 'kafkajs'
import { TallyError } from '../errors.ts'
import { compactBytes, int32, noTags, unsignedVarint } from './request-fields.ts'
import { ResponseReader } from './response-reader.ts'
import { sendRequest } from './send-request.ts'

const apiKeyAlterScram = 51
const iterations = 8_192
const mechanisms = {
  'SCRAM-SHA-256': { number: 1, hash: 'sha256', length: 32 },
  'SCRAM-SHA-512': { number: 2, hash: 'sha512', length: 64 },
} as const

export interface ScramUser {
  readonly name: string
  readonly password: string
}

/**
 * Gives users their passwords at Kafka, new or changed; kafkajs has no function for it. The password itself is not sent.
 * Source: Apache Kafka protocol guide, AlterUserScramCredentials API, version 0.
 * @throws TallyError DENIED with Kafka's reason if it refuses; errors of kafkajs
 */
export async function setPasswords(
  kafka: Kafka,
  users: readonly ScramUser[],
  mechanism: keyof typeof mechanisms = 'SCRAM-SHA-512',
): Promise<void> {
  const { number, hash, length } = mechanisms[mechanism]
  const upserts = users.map(({ name, password }) => {
    const salt = randomBytes(24)
    const salted = pbkdf2Sync(password, salt, iterations, length, hash)
    const fields = [compactBytes(Buffer.from(name)), Buffer.from([number]), int32(iterations)]
    return Buffer.concat([...fields, compactBytes(salt), compactBytes(salted), noTags])
  })
  const deletions = unsignedVarint(1)
  const body = Buffer.concat([noTags, deletions, unsignedVarint(users.length + 1), ...upserts, noTags])
  const request = { name: 'AlterUserScramCredentials', apiKey: apiKeyAlterScram, version: 0, body }
  const refused = readRefusals(await sendRequest(kafka, request))
  if (refused.length > 0) throw new TallyError('DENIED', `Kafka does not set passwords: ${refused.join('; ')}`)
}

function readRefusals(answer: Buffer): string[] {
  const response = new ResponseReader(answer)
  const refused: string[] = []
  response.skipTags()
  response.skip(4) // Throttle time
  response.each(() => {
    const user = response.text()
    const error = response.int16()
    const message = response.text()
    response.skipTags()
    if (error !== 0) refused.push(`${user}: ${message || `error ${error}`}`)
  })
  return refused
}
