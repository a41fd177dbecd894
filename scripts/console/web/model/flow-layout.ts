import type { FlowPage } from '../../contract/flow.ts'

/** A box of the picture; x and y of its upper left corner. */
export interface FlowNode {
  readonly id: string
  readonly kind: 'writer' | 'topic' | 'consumer'
  readonly name: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface FlowLine {
  readonly from: FlowNode
  readonly to: FlowNode
  readonly rate: number | null
  readonly behind: number | null
  readonly path: string
  /** Where its figures stand. */
  readonly labelX: number
  readonly labelY: number
}

export interface FlowLayout {
  readonly nodes: readonly FlowNode[]
  readonly lines: readonly FlowLine[]
  readonly width: number
  readonly height: number
}

const width = 1_080
const heights = { writer: 40, topic: 52, consumer: 58 } as const
const widths = { writer: 130, topic: 190, consumer: 250 } as const
const gap = 24

/**
 * Writers to the left, topics in the middle, consumers to the right. A service that writes and reads stands on both
 * sides: so all events run from left to right, and no line runs back.
 */
export function layoutFlow({ topics, consumers, reads }: Pick<FlowPage, 'topics' | 'consumers' | 'reads'>): FlowLayout {
  const writers = [...new Set(topics.flatMap((topic) => topic.writers))]
  const columns = [
    { kind: 'writer' as const, x: 0, names: writers },
    { kind: 'topic' as const, x: (width - widths.topic) / 2 - 40, names: topics.map(({ name }) => name) },
    { kind: 'consumer' as const, x: width - widths.consumer, names: consumers.map(({ name }) => name) },
  ]
  const tall = columns.map(({ kind, names }) => names.length * (heights[kind] + gap) - gap)
  const height = Math.max(...tall, 0)
  const nodes = columns.flatMap(({ kind, x, names }, column) =>
    names.map((name, row): FlowNode => {
      const room = (height - (tall[column] ?? 0)) / 2
      const y = room + row * (heights[kind] + gap)
      return { id: `${kind}:${name}`, kind, name, x, y, width: widths[kind], height: heights[kind] }
    }),
  )
  const node = (kind: FlowNode['kind'], name: string) => nodes.find((each) => each.kind === kind && each.name === name)
  const connect = (from: FlowNode | undefined, to: FlowNode | undefined, rate: number | null, behind: number | null) =>
    from && to ? [line(from, to, rate, behind, { nodes, reads })] : []
  return {
    nodes,
    lines: [
      ...topics.flatMap(({ name, writers: own, rate }) =>
        own.flatMap((writer) => connect(node('writer', writer), node('topic', name), rate, null)),
      ),
      ...reads.flatMap(({ topic, consumer, rate, behind }) =>
        connect(node('topic', topic), node('consumer', consumer), rate, behind),
      ),
    ],
    width,
    height,
  }
}

/** Lines leave and reach a box at places of their own, in the order of what they lead to. */
function line(
  from: FlowNode,
  to: FlowNode,
  rate: number | null,
  behind: number | null,
  { nodes, reads }: { nodes: readonly FlowNode[]; reads: FlowPage['reads'] },
): FlowLine {
  const order = (kind: FlowNode['kind'], name: string) =>
    nodes.findIndex((each) => each.kind === kind && each.name === name)
  const others =
    to.kind === 'consumer'
      ? reads
          .filter(({ consumer }) => consumer === to.name)
          .toSorted((a, b) => order('topic', a.topic) - order('topic', b.topic))
      : []
  const port = others.findIndex(({ topic }) => topic === from.name)
  const share = others.length > 0 ? (port + 1) / (others.length + 1) : 0.5
  const [x1, y1] = [from.x + from.width, from.y + from.height / 2]
  const [x2, y2] = [to.x, to.y + to.height * share]
  const bend = (x2 - x1) / 2
  return {
    ...{ from, to, rate, behind },
    path: `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
    labelX: x2 - 10,
    labelY: y2 - 4,
  }
}
