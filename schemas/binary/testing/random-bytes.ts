import type { Random } from '../../../infra/testing/random.ts'
import type { AvroType } from '../../avro-schema.ts'

/** The encoding of a random value of a schema. */
export function randomBytes(type: AvroType, random: Random, depth = 0): Buffer {
  switch (type.kind) {
    case 'null':
      return Buffer.alloc(0)
    case 'boolean':
      return Buffer.from([random.integer(0, 1)])
    case 'int':
      return zigzag(BigInt(random.pick([random.integer(-9, 9), random.integer(-(2 ** 31), 2 ** 31 - 1)])))
    case 'long':
      return zigzag(
        random.pick([() => BigInt(random.integer(-9, 9)), () => long(random, 53), () => long(random, 63)])(),
      )
    case 'float':
      return write(4, (bytes) => bytes.writeFloatLE(random.pick([0, -0, 1.5, Number.NaN, random.between(-1e9, 1e9)])))
    case 'double':
      return write(8, (bytes) => bytes.writeDoubleLE(random.pick([0, -0, Infinity, random.between(-1e9, 1e9)])))
    case 'string':
      return sized(Buffer.from(random.pick(texts)))
    case 'bytes':
      return sized(random.pick([Buffer.from([0xff, 0]), Buffer.from('é'), Buffer.alloc(0)]))
    case 'fixed':
      return Buffer.from(Array.from({ length: type.size }, () => random.integer(0, 255)))
    case 'enum':
      return zigzag(BigInt(random.integer(0, type.symbols.length - 1)))
    case 'union': {
      const empty = type.branches.findIndex(({ kind }) => kind === 'null')
      const index = depth > 8 && empty >= 0 ? empty : random.integer(0, type.branches.length - 1)
      return Buffer.concat([zigzag(BigInt(index)), randomBytes(type.branches[index]!, random, depth + 1)])
    }
    case 'array':
      return blocks(() => randomBytes(type.items, random, depth + 1), random, depth)
    case 'map': {
      let keys = 0
      const key = () => sized(Buffer.from(`${random.pick(['', '__proto__', 'k'])}${keys++ || ''}`))
      return blocks(() => Buffer.concat([key(), randomBytes(type.values, random, depth + 1)]), random, depth)
    }
    case 'record':
      return Buffer.concat(type.fields.map((field) => randomBytes(field.type, random, depth + 1)))
  }
}

const texts = ['', 'a', 'é', 'x\u2028', '😀', 'long '.repeat(20)]

function blocks(item: () => Buffer, random: Random, depth: number): Buffer {
  const parts: Buffer[] = []
  for (let left = depth > 8 ? 0 : random.integer(0, 2); left > 0; left--) {
    const items = Array.from({ length: random.integer(1, 2) }, item)
    const body = Buffer.concat(items)
    // A negative count is followed by the size of the block
    const head = random.chance(0.3)
      ? [zigzag(BigInt(-items.length)), zigzag(BigInt(body.length))]
      : [zigzag(BigInt(items.length))]
    parts.push(...head, body)
  }
  return Buffer.concat([...parts, zigzag(0n)])
}

/** Any integer of so many bits and a sign. */
const long = (random: Random, bits: number): bigint =>
  BigInt.asIntN(bits + 1, (BigInt(random.integer(0, 2 ** 32 - 1)) << 32n) | BigInt(random.integer(0, 2 ** 32 - 1)))

function zigzag(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

const sized = (bytes: Buffer): Buffer => Buffer.concat([zigzag(BigInt(bytes.length)), bytes])

function write(length: number, fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(length)
  fill(bytes)
  return bytes
}
