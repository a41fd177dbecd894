/** Confluent's framing: a zero byte, the schema id in four bytes, then the Avro body. */
export const headerBytes = 5

/** The schema id of a framed value; undefined for a tombstone and for unframed values. */
export function schemaIdOf(value: Buffer | null): number | undefined {
  if (value === null || value.length < headerBytes || value[0] !== 0) return undefined
  const id = value.readInt32BE(1)
  return id > 0 ? id : undefined // Registries count from 1; the answer for other ids is unpredictable
}

export function writeHeader(target: Buffer, position: number, schemaId: number): void {
  target[position] = 0
  target.writeInt32BE(schemaId, position + 1)
}

/** Why a value has no schema id, as far as its bytes say what its producer meant. */
export function whyUnframed(value: Buffer): string {
  const why = 'the value does not begin with a schema id'
  if (value[0] === 0) return `${why} of the registry`
  const text = value.subarray(0, 256)
  const json = /^\s*[{["]/.test(text.toString('latin1')) && !text.includes(0)
  if (json) return `${why}: it is JSON, and events are Avro with the schema id of the registry in front`
  return `${why}: the byte 0 that announces it is missing`
}
