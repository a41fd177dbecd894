import type { IHeaders, KafkaMessage } from 'kafkajs'
import type { AnswerInput, Cause, Input, ParkedInput, TimerInput } from '../model.ts'

/** A row of `parked`. */
export interface ParkedRow {
  readonly id: number
  readonly lane: number
  readonly key: string
  readonly source: Input['source']
  readonly topic: string | null
  readonly partition: number | null
  readonly offset: number | null
  /** The record's id in the inbox, or the id of the call or timer. */
  readonly eventId: string
  readonly type: string | null
  readonly reason: ParkedInput['reason']
  readonly error: string | null
  readonly stack: string | null
  readonly headers: StoredHeaders | null
  readonly recordKey: Buffer | null
  readonly recordTime: number | null
  /** Raw bytes of a record; JSON of an answer or timer. */
  readonly value: Buffer | null
  readonly attempts: number
  readonly revision: number
  readonly parkedAt: Date
  readonly lastAttemptAt: Date
  /** Null if it waits behind another event of its key or for an operator. */
  readonly nextAttemptAt: Date | null
}

/** Header values are bytes. UTF-8 is stored as text; other bytes, and texts PostgreSQL cannot store, as base64. */
export type StoredHeaders = Record<string, StoredHeader | StoredHeader[]>
type StoredHeader = string | { base64: string } | null

export const parkedColumns = `id, lane, key, source, topic, partition, "offset", event_id as "eventId", type, reason, error, stack,
  headers, record_key as "recordKey", record_time as "recordTime", value, attempts, revision, parked_at as "parkedAt",
  last_attempt_at as "lastAttemptAt", next_attempt_at as "nextAttemptAt"`

export function storeHeaders(headers: IHeaders | undefined): StoredHeaders {
  const stored = Object.entries(headers ?? {}).map(([name, value]) => [
    storable(name),
    Array.isArray(value) ? value.map(storeHeader) : storeHeader(value),
  ])
  return Object.fromEntries(stored) as StoredHeaders
}

export function restoreHeaders(stored: StoredHeaders | null): IHeaders {
  const headers = Object.entries(stored ?? {}).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.map(restoreHeader) : restoreHeader(value),
  ])
  return Object.fromEntries(headers) as IHeaders
}

function storeHeader(value: Buffer | string | null | undefined): StoredHeader {
  if (value === null || value === undefined) return null
  const bytes = Buffer.from(value)
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) && !text.includes('\0') ? text : { base64: bytes.toString('base64') }
}

function restoreHeader(value: StoredHeader): Buffer | null {
  if (value === null) return null
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.base64, 'base64')
}

/** The original record. */
export function restoreMessage(row: ParkedRow): KafkaMessage {
  return {
    key: row.recordKey,
    value: row.value,
    headers: restoreHeaders(row.headers),
    timestamp: String(row.recordTime ?? 0),
    offset: String(row.offset ?? 0),
    attributes: 0,
  }
}

/** The part of an answer or timer that has no column. */
export const storeIntent = (input: AnswerInput | TimerInput): Buffer =>
  Buffer.from(
    JSON.stringify(input.source === 'answer' ? { cause: input.cause, answer: input.answer } : { cause: input.cause }),
  )

export function restoreIntent(row: ParkedRow): AnswerInput | TimerInput {
  const { cause, answer } = JSON.parse(String(row.value)) as { cause: Cause; answer?: object }
  const common = { id: row.eventId, key: row.key, kind: row.type ?? '', cause }
  return row.source === 'answer'
    ? { ...common, source: 'answer', answer: answer ?? {} }
    : { ...common, source: 'timer' }
}

/** PostgreSQL cannot store NUL characters in text. */
export const storable = (text: string): string => text.replaceAll('\0', '\uFFFD')
