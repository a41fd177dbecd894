import type { Writable } from 'node:stream'

/**
 * Sends what is written to a stream in one turn of the event loop in one write: a write wakes the other side, which costs
 * more than most messages.
 * @returns call it before each write
 */
export function corkWrites(stream: Writable): () => void {
  let corked = false
  return () => {
    if (corked) return
    corked = true
    stream.cork()
    process.nextTick(() => {
      corked = false
      stream.uncork()
    })
  }
}
