import { createCipheriv, createDecipheriv, createHmac, createSecretKey, hkdfSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { TallyError } from '../errors.ts'

/**
 * Text that can be read with the key of one customer only, as `sealed:1:<key id>:<base64url>`. Without the key nobody can read
 * it again, wherever copies of it lie.
 */
const prefix = 'sealed:1:'
const form = /^sealed:1:(\d{1,15}):([\w-]{38,})$/
const [nonceBytes, tagBytes] = [12, 16]

/** A customer's key, ready for use. */
export interface SealingKey {
  readonly id: number
  readonly customerId: string
  /** For AES-256-GCM. */
  readonly cipher: KeyObject
  /** For the nonces. */
  readonly nonce: KeyObject
}

/** @param secret 32 random bytes */
export function sealingKey(id: number, customerId: string, secret: Buffer): SealingKey {
  const source = createSecretKey(secret)
  // Key objects: Node.js would make one of a buffer at every use, which takes three times as long as sealing itself
  const derived = (purpose: string) =>
    createSecretKey(Buffer.from(hkdfSync('sha256', source, '', `tally ${purpose}`, 32)))
  let nonce: KeyObject | undefined
  return {
    id,
    customerId,
    cipher: derived('cipher'),
    get nonce() {
      return (nonce ??= derived('nonce')) // Only those who seal need it
    },
  }
}

/** Whether a text has the form of a sealed one. */
export const isSealed = (text: string): boolean => text.startsWith(prefix) && form.test(text)

/** The id of the key that opens a text; undefined if the text is not sealed. */
export function keyIdOf(text: string): number | undefined {
  const [, id] = form.exec(text) ?? []
  return id === undefined ? undefined : Number(id)
}

/**
 * Seals a text. The same text under the same key is sealed alike, so that an event that is produced again is the same event:
 * its nonce is a keyed hash of the text, and no two texts share one. An empty text says nothing and stays as it is.
 */
export function sealText({ id, customerId, cipher, nonce }: SealingKey, text: string): string {
  if (text === '') return text
  const iv = createHmac('sha256', nonce).update(text).digest().subarray(0, nonceBytes)
  const sealing = createCipheriv('aes-256-gcm', cipher, iv, { authTagLength: tagBytes })
  sealing.setAAD(Buffer.from(customerId))
  const parts = [iv, sealing.update(text, 'utf8'), sealing.final(), sealing.getAuthTag()]
  return `${prefix}${id}:${Buffer.concat(parts).toString('base64url')}`
}

/** @throws TallyError UNREADABLE if the text was sealed with another key, for another customer, or was changed */
export function openText({ id, customerId, cipher }: SealingKey, sealed: string): string {
  const [, keyId, body = ''] = form.exec(sealed) ?? []
  const bytes = Buffer.from(body, 'base64url')
  try {
    if (Number(keyId) !== id) throw new Error('it names another key')
    const opening = createDecipheriv('aes-256-gcm', cipher, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
    opening.setAAD(Buffer.from(customerId)).setAuthTag(bytes.subarray(-tagBytes))
    return Buffer.concat([opening.update(bytes.subarray(nonceBytes, -tagBytes)), opening.final()]).toString('utf8')
  } catch (error) {
    throw new TallyError('UNREADABLE', `a sealed text cannot be opened with key ${id}`, { cause: error })
  }
}
