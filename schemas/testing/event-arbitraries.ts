import fc from 'fast-check'
import { TallyError } from '../../infra/errors.ts'
import type { AvroType, Field } from '../avro-schema.ts'
import type { EventData, EventType } from '../generated/events.ts'
import type { EventSchema } from '../load-schemas.ts'
import { limits } from '../validate.ts'

/** Events that fit the schema and the rules of their domain. */
export function arbitraryEvent({ type, record }: EventSchema): fc.Arbitrary<EventData[EventType]> {
  return arbitraryValue(record, arbitraryField).map(
    (data) => mend[type]?.(data as never) ?? (data as EventData[EventType]),
  )
}

/** Values of any schema; `ofField` may override the values of fields. */
export function arbitraryValue(
  type: AvroType,
  ofField: (field: Field) => fc.Arbitrary<unknown> | undefined = () => undefined,
): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case 'null':
      return fc.constant(null)
    case 'boolean':
      return fc.boolean()
    case 'int':
      return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
    case 'long':
      return fc.maxSafeInteger().filter((value) => Math.abs(value) < Number.MAX_SAFE_INTEGER) // avsc's range
    case 'float':
      return fc.float({ noNaN: true })
    case 'double':
      return fc.double({ noNaN: true })
    case 'string':
      return text
    case 'bytes':
      return fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))
    case 'fixed':
      return fc.uint8Array({ minLength: type.size, maxLength: type.size }).map((bytes) => Buffer.from(bytes))
    case 'enum':
      return fc.constantFrom(...type.symbols)
    case 'array':
      return fc.array(arbitraryValue(type.items, ofField), { maxLength: 5 })
    case 'map':
      return fc.dictionary(fc.string({ maxLength: 5 }), arbitraryValue(type.values, ofField), { maxKeys: 5 })
    case 'union': {
      const value = type.branches.find((branch) => branch.kind !== 'null')
      if (!value || type.branches.length !== 2)
        throw new TallyError('SCHEMA_INVALID', 'only null and one type make a union here')
      return fc.option(arbitraryValue(value, ofField))
    }
    case 'record':
      return fc.record(
        Object.fromEntries(
          type.fields.map((field) => [field.name, ofField(field) ?? arbitraryValue(field.type, ofField)]),
        ),
        { noNullPrototype: true },
      )
  }
}

const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !value.includes('\0'))
const id = text.filter((value) => value !== '')
const amount = fc.nat(10_000_000)
const time = fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2099, 11, 31) })

function arbitraryField({ name, type }: Field): fc.Arbitrary<unknown> | undefined {
  if (type.kind === 'array') {
    const items = arbitraryValue(type.items, arbitraryField) as fc.Arbitrary<{ sku: string }>
    return fc.uniqueArray(items, { selector: ({ sku }) => sku, minLength: 1, maxLength: 5 })
  }
  if (/(Id|^sku|^carrier|^trackingNumber)$/.test(name)) return id
  if (name === 'paymentMethod') return fc.option(id)
  if (/(At|^pickup.*)$/.test(name)) return time
  if (/(Minor|^available)$/.test(name)) return amount
  if (/^(quantity|requested)$/.test(name)) return fc.integer({ min: 1, max: limits.quantity })
  if (name === 'currency') return fc.constantFrom('EUR', 'USD', 'JPY')
}

/** Rules between fields. */
const mend: { [T in EventType]?: (data: EventData[T]) => EventData[T] } = {
  OrderPlaced: (order) => ({
    ...order,
    totalMinor: order.lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
  }),
  ShipmentScheduled: (event) => ({ ...event, pickupUntil: Math.max(event.pickupFrom, event.pickupUntil) }),
}
