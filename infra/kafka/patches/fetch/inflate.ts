import { createGunzip, createZstdDecompress, zstdDecompressSync } from 'node:zlib'
import { inflateLz4 } from './lz4.ts'
import { inflateSnappy } from './snappy.ts'

const chunkSize = 64 * 1024

/**
 * Decompresses Kafka's compression types 1 (gzip), 2 (snappy), 3 (lz4) and 4 (zstd) piece by piece. The caller stops at its
 * limit, so a decompression bomb costs no more than one piece.
 * @throws Error if the bytes are malformed
 */
export async function* inflate(type: number, bytes: Buffer): AsyncGenerator<Buffer> {
  switch (type) {
    case 1:
      return yield* through(createGunzip({ chunkSize }), bytes)
    case 2:
      return yield* inflateSnappy(bytes)
    case 3:
      return yield* inflateLz4(bytes)
    case 4:
      return yield* inflateZstd(bytes)
    default:
      throw new RangeError(`compression of the unknown type ${type}`)
  }
}

/**
 * Batches of usual size at once, because a stream costs 100 µs more. What is larger, or damaged further on, goes piece by
 * piece.
 */
async function* inflateZstd(bytes: Buffer): AsyncGenerator<Buffer> {
  const whole = bytes.length <= chunkSize ? inflatedAtOnce(bytes) : undefined
  if (whole) return yield whole
  yield* through(createZstdDecompress({ chunkSize }), bytes)
}

/** Takes at most some milliseconds: meanwhile the process does nothing else. */
const atOnce = 1024 * 1024

function inflatedAtOnce(bytes: Buffer): Buffer | undefined {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: atOnce })
  } catch {
    return undefined
  }
}

async function* through(stream: ReturnType<typeof createGunzip>, bytes: Buffer): AsyncGenerator<Buffer> {
  stream.end(bytes)
  for await (const chunk of stream) yield chunk as Buffer // Leaving the loop destroys the stream
}
