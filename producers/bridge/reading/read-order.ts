import { z } from 'zod'
import { isTallyError } from '../../../infra/errors.ts'
import { bodyFaults, maxBodyBytes } from '../../orders-api/http/body-faults.ts'
import { checkParts, invalid } from '../../orders-api/http/check-parts.ts'
import { header, newOrder } from '../../orders-api/http/contract.ts'
import type { NewOrder } from '../../orders-api/http/contract.ts'
import { problem } from '../../orders-api/http/reply.ts'
import type { Reply } from '../../orders-api/http/reply.ts'
import type { QueueMessage } from '../message.ts'
import type { AvroOrders } from './avro-orders.ts'

/** An order and the name by which a repeat of it is recognized, or the reason why the message is none. */
export type ReadOrder =
  | { readonly order: NewOrder; readonly id: string; readonly refusal?: undefined }
  | { readonly refusal: Reply; readonly order?: undefined; readonly id?: undefined }

/** The API's rule for the names of requests; a message must have one. */
const parts = {
  header: z.object({ 'message-id': header.once.shape['idempotency-key'].unwrap() }),
  body: newOrder,
}

const refuse = (status: number, detail: string): ReadOrder => ({ refusal: problem(status, detail) })

/**
 * Reads a message by the contract of the orders API: the same schema, limits and texts. A body that begins with a zero byte
 * is Avro in the registry's framing, any other is JSON: no JSON begins so.
 * @throws TallyError UNREACHABLE or DENIED while the registry does not give the schema of an Avro message
 */
export async function readOrder(message: QueueMessage, avro: AvroOrders): Promise<ReadOrder> {
  const { id, body, contentType, contentEncoding } = message
  if (body.length > maxBodyBytes) return refuse(413, bodyFaults['entity.too.large'])
  if (!isPlain(contentEncoding)) return refuse(415, bodyFaults['encoding.unsupported'])
  if (!isAccepted(contentType))
    return refuse(415, 'Send application/json, or application/avro in the framing of the registry.')
  const value = body[0] === 0 ? await readAvro(body, avro) : readJson(body)
  if ('refusal' in value) return value
  const checked = checkParts(parts, { header: { 'message-id': id }, body: value.read })
  return checked.errors
    ? { refusal: invalid(checked.errors) }
    : { order: checked.input.body, id: checked.input.header['message-id'] }
}

const isPlain = (encoding: string | undefined): boolean =>
  encoding === undefined || /^(identity|utf-8)?$/i.test(encoding)

/** Senders that name no type, or that of any bytes, mean one of the two formats: the first byte says which. */
const isAccepted = (type: string | undefined): boolean =>
  type === undefined ||
  /^\s*(application\/(json|avro|octet-stream|[\w.-]+\+(json|avro))|avro\/binary)?\s*(;|$)/i.test(type)

type Value = { readonly read: unknown } | { readonly refusal: Reply }

function readJson(body: Buffer): Value {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return { refusal: problem(400, bodyFaults['body.not.utf8']) }
  }
  try {
    return { read: JSON.parse(text) }
  } catch {
    return { refusal: problem(400, bodyFaults['entity.parse.failed']) }
  }
}

async function readAvro(body: Buffer, avro: AvroOrders): Promise<Value> {
  try {
    return { read: await avro.read(body) }
  } catch (error) {
    if (!isTallyError(error, 'UNREADABLE')) throw error
    return { refusal: problem(400, `The body cannot be read: ${error.message}.`) }
  }
}
