import type { AvroType } from '../avro-schema.ts'

/** Makes a new value of a field's default each time, because values may be changed. */
export function defaultOf(type: AvroType, json: unknown): () => unknown {
  switch (type.kind) {
    case 'bytes':
    case 'fixed':
      return () => Buffer.from(json as string, 'latin1') // One character for each byte
    case 'float':
      return () => Math.fround(json as number)
    case 'array': {
      const items = (json as unknown[]).map((item) => defaultOf(type.items, item))
      return () => items.map((item) => item())
    }
    case 'map': {
      const entries = Object.entries(json as object).map(
        ([key, value]) => [key, defaultOf(type.values, value)] as const,
      )
      return () => Object.fromEntries(entries.map(([key, value]) => [key, value()]))
    }
    case 'record': {
      const given = json as Record<string, unknown>
      const fields = type.fields.map(({ name, type: inner, default: otherwise }) => {
        return [name, defaultOf(inner, Object.hasOwn(given, name) ? given[name] : otherwise)] as const
      })
      return () => Object.fromEntries(fields.map(([name, value]) => [name, value()]))
    }
    case 'union': {
      const branch = type.branches.find(({ kind }) => fits(kind, json))
      return branch ? defaultOf(branch, json) : () => json
    }
    default:
      return () => json
  }
}

/** The default of a union belongs to the first branch whose kind of JSON it is. */
function fits(kind: AvroType['kind'], json: unknown): boolean {
  switch (kind) {
    case 'null':
      return json === null
    case 'boolean':
      return typeof json === 'boolean'
    case 'int':
    case 'long':
      return Number.isInteger(json)
    case 'float':
    case 'double':
      return typeof json === 'number'
    case 'array':
      return Array.isArray(json)
    case 'map':
    case 'record':
      return typeof json === 'object' && json !== null && !Array.isArray(json)
    default:
      return typeof json === 'string'
  }
}
