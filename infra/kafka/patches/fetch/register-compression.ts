import { gzip, zstdCompress } from 'node:zlib'
import { promisify } from 'node:util'
import kafkajs from 'kafkajs'
import { TallyError } from '../../../errors.ts'
import { batchLimits } from './record-batch.ts'
import { inflate } from './inflate.ts'

interface Encoder {
  buffer: Buffer
}

/**
 * Registers the compressions that kafkajs lacks, and limits the one it has. `record-batch.ts` decompresses fetched batches;
 * this serves producers (gzip and zstd) and batches older than Kafka 0.11.
 */
export function registerCompression(): void {
  const compressBy = { 1: promisify(gzip), 4: promisify(zstdCompress) } as Record<
    number,
    (bytes: Buffer) => Promise<Buffer>
  >
  for (const type of [1, 2, 3, 4]) {
    kafkajs.CompressionCodecs[type as 1] = () => ({
      compress({ buffer }: Encoder) {
        const compress = compressBy[type]
        if (!compress) throw new TallyError('USAGE', 'Snappy and LZ4 can only be read: write gzip or zstd')
        return compress(buffer)
      },
      async decompress(bytes: Buffer) {
        const pieces: Buffer[] = []
        let held = 0
        for await (const piece of inflate(type, bytes)) {
          pieces.push(piece)
          held += piece.length
          if (held > batchLimits.total)
            throw new TallyError('INVARIANT', `A batch inflates to more than ${batchLimits.total} bytes`)
        }
        return Buffer.concat(pieces, held)
      },
    })
  }
}
