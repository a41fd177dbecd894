import type { RawRecord } from '../../../record-sender.ts'

const texts = ['', 'order-1', 'Ærøskøbing ✓', 'x'.repeat(300)]

/** Records of all shapes: without key, without value, long, with characters of several bytes, with repeated headers. */
export const samples = (topic: string): RawRecord[] =>
  Array.from({ length: 400 }, (_, index) => {
    const text = texts[index % texts.length] ?? ''
    return {
      topic,
      partition: index % 3,
      key: index % 7 === 0 ? null : `${index}-${text}`,
      value: index % 11 === 0 ? null : Buffer.from(`${text}${index}`.repeat(1 + (index % 50))),
      headers: {
        ce_id: String(index),
        text,
        bytes: Buffer.from([index & 255, 0, 255]),
        repeated: [text, String(index)],
      },
    }
  })
