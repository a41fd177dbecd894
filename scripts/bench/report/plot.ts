import { rounded } from './print-report.ts'
import { spreadOf } from './report.ts'
import type { Report } from './report.ts'

const [width, rowHeight, labelWidth, headHeight] = [760, 34, 190, 64]
const [barWidth, ours, theirs] = [430, '#1f6f5c', '#a8b0b8']

/** An SVG with a bar for each contender's median and a dot for each repeat, of the rate or of the plotted figure. */
export function plot({ benchmark, what, unit, plotted, results, ...taken }: Report): string {
  const shown = results.map(({ contender, perSecond, ratio, figures }) =>
    plotted === undefined
      ? { contender, spread: perSecond, note: ` (ours ${rounded(ratio)} ×)` }
      : { contender, spread: figures[plotted] ?? spreadOf([0]), note: '' },
  )
  const most = Math.max(...shown.map(({ spread }) => spread.highest))
  const x = (value: number) => labelWidth + (value / most) * barWidth
  const height = headHeight + results.length * rowHeight + 30
  const rows = shown.map(({ contender, spread, note: compared }, index) => {
    const y = headHeight + index * rowHeight
    const dots = spread.values.map(
      (value) => `<circle cx="${x(value).toFixed(1)}" cy="${y + 11}" r="2.5" fill="#333" fill-opacity=".6"/>`,
    )
    const note = rounded(spread.median) + (index === 0 ? '' : compared)
    return [
      text(labelWidth - 8, y + 15, contender, 'text-anchor="end"'),
      `<rect x="${labelWidth}" y="${y}" width="${(x(spread.median) - labelWidth).toFixed(1)}" height="22" fill="${index === 0 ? ours : theirs}"/>`,
      ...dots,
      text(x(spread.highest) + 8, y + 15, note),
    ].join('\n')
  })
  const { takenAt, cores, cpu, commit } = taken
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
${text(16, 24, `${benchmark}, ${plotted ?? unit}`, 'font-size="16" font-weight="600"')}
${text(16, 44, what, 'fill="#555"')}
${rows.join('\n')}
${text(16, height - 10, `${takenAt.slice(0, 10)} · ${cores} cores of ${cpu} · ${commit}`, 'fill="#777" font-size="11"')}
</svg>
`
}

const text = (x: number, y: number, content: string, attributes = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped(content)}</text>`

export const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
