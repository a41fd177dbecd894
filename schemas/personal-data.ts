import { TallyError } from '../infra/errors.ts'
import { isSealed, sealText } from '../infra/security/sealed-text.ts'
import type { SealingKey } from '../infra/security/sealed-text.ts'
import type { AvroType } from './avro-schema.ts'
import type { EventData, EventType } from './generated/events.ts'
import { loadSchemas } from './load-schemas.ts'

/** Where a field lies in an event: the names that lead to it. */
type Path = readonly string[]

let known: ReadonlyMap<EventType, readonly Path[]> | undefined

/** The fields that the event's schema marks with `"personal": true`; texts in records. */
export function personalFields(type: EventType): readonly Path[] {
  known ??= new Map(loadSchemas().map((schema) => [schema.type, findPersonal(schema.record)]))
  return known.get(type) ?? []
}

/** A copy of the event in which every personal text is replaced by what `change` makes of it. */
export function changePersonal<T extends EventType>(
  type: T,
  data: EventData[T],
  change: (text: string) => string,
): EventData[T] {
  return personalFields(type).reduce((changed, path) => changeAt(changed, path, change), data)
}

/** Whether an event holds a personal text that is not sealed. */
export function hasClearText<T extends EventType>(type: T, data: EventData[T]): boolean {
  let clear = false
  changePersonal(type, data, (text) => {
    clear ||= text !== '' && !isSealed(text)
    return text
  })
  return clear
}

/**
 * An event with its personal data sealed. Texts that only look sealed are sealed, too: nobody can smuggle in a text of
 * another customer.
 */
export const sealEvent = <T extends EventType>(key: SealingKey, type: T, data: EventData[T]): EventData[T] =>
  changePersonal(type, data, (text) => sealText(key, text))

/** The same for an event from our own hands: what is sealed already stays as it is. */
export const sealRest = <T extends EventType>(key: SealingKey, type: T, data: EventData[T]): EventData[T] =>
  changePersonal(type, data, (text) => (isSealed(text) ? text : sealText(key, text)))

function changeAt<Data>(data: Data, [name = '', ...rest]: Path, change: (text: string) => string): Data {
  const inner = data[name as keyof Data]
  const changed = rest.length === 0 ? change(String(inner)) : changeAt(inner, rest, change)
  return { ...data, [name]: changed }
}

/** @throws TallyError SCHEMA_INVALID for a mark where nothing would be sealed */
export function findPersonal(type: AvroType, path: Path = []): Path[] {
  switch (type.kind) {
    case 'record':
      return type.fields.flatMap((field) => {
        const at = [...path, field.name]
        if (!field.personal) return findPersonal(field.type, at)
        if (field.type.kind === 'string') return [at]
        throw refused(at, 'is not a string')
      })
    case 'array':
    case 'map':
    case 'union': {
      const inner = type.kind === 'union' ? type.branches : [type.kind === 'array' ? type.items : type.values]
      const [found] = inner.flatMap((each) => findPersonal(each, path))
      if (found) throw refused(found, `lies in a ${type.kind}`)
      return []
    }
    default:
      return []
  }
}

const refused = (path: Path, why: string) =>
  new TallyError('SCHEMA_INVALID', `${path.join('.')} is marked as personal, but ${why}: only texts in records can be`)
