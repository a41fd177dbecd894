import type { Advice } from '../../consumers/operations/replicas/advice/advise.ts'
import type { Decided } from './run-auto.ts'

export interface PlotOptions {
  readonly title: string
  readonly subtitle: string
  /** Drawn as a line nobody should wait above. */
  readonly lagGoalSeconds: number
}

interface Point {
  readonly x: number
  readonly y: number
}

interface Line {
  readonly points: readonly Point[]
  readonly colour: string
  readonly dashed?: boolean
  /** Keeps its value until the next point. */
  readonly stepped?: boolean
}

interface Panel {
  readonly name: string
  readonly note: string
  readonly lines: readonly Line[]
  /** Its values are whole numbers. */
  readonly whole?: boolean
}

const [width, left, right, top] = [820, 70, 130, 88]
const [panelHeight, gap] = [150, 46]
const colours = ['#1f6f5c', '#b5532a', '#3b5b92', '#8a6d1d', '#7a3b69', '#555']
const needed = '#c9a227'

/** Rates, lag and replicas over time, one below the other, a colour per consumer, as SVG. */
export function plotAuto(decided: readonly Decided[], { title, subtitle, lagGoalSeconds }: PlotOptions): string {
  const byConsumer = [...Map.groupBy(decided, ({ advice }) => advice.consumer)]
  const endMs = Math.max(1, ...decided.map(({ atMs }) => atMs))
  const x = (ms: number) => left + (ms / endMs) * (width - left - right)
  const lines = (of: (each: Decided) => number | null, style: Partial<Line> = {}): Line[] =>
    byConsumer.map(([, looks], index) => ({
      points: looks.flatMap((look) => {
        const y = of(look)
        return y === null ? [] : { x: x(look.atMs), y }
      }),
      colour: colours[index % colours.length] ?? '#555',
      ...style,
    }))
  const panels: Panel[] = [
    {
      name: 'events/s',
      note: 'arriving (dashed) and taken',
      lines: [
        ...lines(({ advice }) => known(advice, advice.arrivingPerSecond), { dashed: true }),
        ...lines(({ advice }) => advice.takenPerSecond),
      ],
    },
    {
      name: 'lag, s',
      note: `wait of the oldest event; goal ${lagGoalSeconds} s (dashed)`,
      lines: [
        { points: [left, width - right].map((at) => ({ x: at, y: lagGoalSeconds })), colour: '#999', dashed: true },
        ...lines(({ advice }) => known(advice, advice.lagSeconds)),
      ],
    },
    {
      name: 'replicas',
      note: 'running, and advised (dashed)',
      whole: true,
      lines: [
        ...lines(({ advice }) => advice.needed, {
          ...{ dashed: true, stepped: true },
          ...(byConsumer.length === 1 && { colour: needed }),
        }),
        ...lines(({ advice }) => advice.replicas, { stepped: true }),
      ],
    },
  ]
  const height = top + panels.length * (panelHeight + gap) - 10
  const legend = byConsumer.map(([consumer], index) =>
    text(width - right + 14, top + 14 + 18 * index, consumer, `fill="${colours[index % colours.length]}"`),
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
${text(16, 26, title, 'font-size="16" font-weight="600"')}
${text(16, 46, subtitle, 'fill="#555"')}
${legend.join('\n')}
${panels.map((panel, index) => drawPanel(panel, top + index * (panelHeight + gap))).join('\n')}
${timeAxis(endMs, x, height - gap + 28)}
</svg>
`
}

/** While the broker does not say where the topics end, nobody knows what waits and what arrives. */
const known = ({ behind }: Advice, figure: number): number | null => (behind === null ? null : figure)

function drawPanel({ name, note, lines, whole }: Panel, y0: number): string {
  const highest = Math.max(2, ...lines.flatMap(({ points }) => points.map(({ y }) => y)))
  const most = whole ? 2 * Math.ceil(highest / 2) : niceCeiling(highest)
  const y = (value: number) => y0 + panelHeight - (value / most) * panelHeight
  const grid = [0, most / 2, most].map((value) =>
    [
      `<line x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}" stroke="#e3e3e3"/>`,
      text(left - 8, y(value) + 4, value.toLocaleString('en'), 'text-anchor="end" fill="#555"'),
    ].join(''),
  )
  return [
    ...grid,
    text(left, y0 - 8, `<tspan font-weight="600">${name}</tspan> <tspan fill="#777">${note}</tspan>`),
    ...lines.map((line) => drawLine(line, y)),
  ].join('\n')
}

function drawLine({ points, colour, dashed, stepped }: Line, y: (value: number) => number): string {
  const at = points.flatMap((point, index) => {
    const before = points[index - 1]
    return stepped && before ? [{ x: point.x, y: before.y }, point] : [point]
  })
  const path = at.map((point) => `${point.x.toFixed(1)},${y(point.y).toFixed(1)}`).join(' ')
  const style = dashed ? 'stroke-dasharray="4 3" stroke-width="1.3"' : 'stroke-width="2"'
  return `<polyline points="${path}" fill="none" stroke="${colour}" ${style}/>`
}

function timeAxis(endMs: number, x: (ms: number) => number, y: number): string {
  const stepSeconds =
    [5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600].find((step) => endMs / 1_000 / step <= 10) ?? 7_200
  const ticks = Array.from({ length: Math.floor(endMs / 1_000 / stepSeconds) + 1 }, (_, index) => index * stepSeconds)
  return ticks.map((second) => text(x(1_000 * second), y, `${second} s`, 'text-anchor="middle" fill="#555"')).join('\n')
}

/** The end of an axis: not much more than the value, and easy to halve. */
function niceCeiling(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value))
  return ([1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].find((step) => step * unit >= value) ?? 10) * unit
}

/** @param content nothing a user has chosen but consumers' names, which are folder names */
const text = (x: number, y: number, content: string, attributes = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${content}</text>`
