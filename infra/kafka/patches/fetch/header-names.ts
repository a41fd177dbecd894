/** Longer names, and more of one length, are decoded each time: a stranger's headers must not fill the memory. */
const longest = 64
const mostOfOneLength = 16

/** Names that came before, by their length. Records carry the same few over and over. */
const known: { bytes: Buffer; text: string }[][] = Array.from({ length: longest + 1 }, () => [])

/** The header name at `[start, end)` as text. */
export function headerName(source: Buffer, start: number, end: number): string {
  const candidates = known[end - start]
  for (const { bytes, text } of candidates ?? []) {
    let i = 0
    while (i < bytes.length && bytes[i] === source[start + i]) i++
    if (i === bytes.length) return text
  }
  const text = source.toString('utf8', start, end)
  if (candidates && candidates.length < mostOfOneLength)
    candidates.push({ bytes: Buffer.from(source.subarray(start, end)), text })
  return text
}
