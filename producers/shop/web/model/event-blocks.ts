/** One server-sent event. */
export interface ServerEvent {
  readonly event: string
  readonly id: string | undefined
  readonly data: string
}

/**
 * Cuts a stream of text into server-sent events, however it is split. `EventSource` cannot be used: it sends no bearer
 * token and does not tell why a stream was refused.
 * @returns a function that takes the next piece and gives the events that it completes
 */
export function eventBlocks(): (piece: string) => ServerEvent[] {
  let rest = ''
  return (piece) => {
    const blocks = (rest + piece.replaceAll('\r', '')).split('\n\n')
    rest = blocks.pop() ?? ''
    return blocks.flatMap((block) => {
      const fields = block.split('\n').flatMap((line) => {
        const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? []
        return name === undefined ? [] : [[name, value ?? ''] as const]
      })
      const all = (wanted: string) => fields.filter(([name]) => name === wanted).map(([, value]) => value)
      const data = all('data')
      return data.length === 0
        ? [] // A comment or a setting
        : [{ event: all('event').at(-1) ?? 'message', id: all('id').at(-1), data: data.join('\n') }]
    })
  }
}
