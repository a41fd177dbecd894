/** A page holds dozens of payloads, and a record may have a megabyte. */
const atMost = 100_000

/** Data as indented JSON, cut where it is very long; null without data. */
export function payloadText(data: object | null): string | null {
  const text = data && JSON.stringify(data, null, 2)
  if (text === null || text.length <= atMost) return text
  return `${text.slice(0, atMost)}\n… ${(text.length - atMost).toLocaleString('en')} characters more`
}
