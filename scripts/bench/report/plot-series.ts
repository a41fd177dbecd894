import { escaped } from './plot.ts'
import { rounded } from './print-report.ts'
import type { Report } from './report.ts'

const [width, height, left, right, top, bottom] = [760, 420, 60, 170, 64, 50]
const colours = ['#1f6f5c', '#b5523b', '#3b6fb5', '#8a6d1f', '#7a3b8f', '#2f8f9d', '#9d2f5c', '#5c5c5c', '#6f9d2f']

/** An SVG with a line for each series of the first contender's last repeat. */
export function plotSeries({ benchmark, what, results, takenAt, cores, cpu, commit }: Report): string | undefined {
  const series = results[0]?.series
  if (!series) return undefined
  const lines = Object.entries(series.of).toSorted((a, b) => (b[1].at(-1) ?? 0) - (a[1].at(-1) ?? 0))
  const most = Math.max(...lines.flatMap(([, values]) => values))
  const last = Math.max(1, ...lines.map(([, { length }]) => length - 1))
  const x = (look: number) => left + (look / last) * (width - left - right)
  const y = (value: number) => height - bottom - (value / most) * (height - top - bottom)
  let labelsEnd = 0
  const drawn = lines.map(([name, values], index) => {
    const colour = colours[index % colours.length]
    const points = values.map((value, look) => `${x(look).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
    labelsEnd = Math.max(labelsEnd + 15, y(values.at(-1) ?? 0) + 4) // Move overlapping labels down
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1.5"/>
<text x="${x(last) + 6}" y="${labelsEnd.toFixed(1)}" fill="${colour}" font-size="12">${escaped(name)} ${rounded(values.at(-1) ?? 0)}</text>`
  })
  const minutes = (last * series.everySeconds) / 60
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * most)
    return `<line x1="${left}" x2="${x(last)}" y1="${at}" y2="${at}" stroke="#ddd"/>
<text x="${left - 6}" y="${at + 4}" text-anchor="end" font-size="11" fill="#555">${rounded(part * most)}</text>`
  })
  const full = Math.max(height, labelsEnd + 40)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${full}" viewBox="0 0 ${width} ${full}" font-family="system-ui, sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
<text x="16" y="24" font-size="16" font-weight="600">${escaped(`${benchmark}, ${series.unit} over ${rounded(minutes)} minutes`)}</text>
<text x="16" y="44" fill="#555">${escaped(what)}</text>
${[...grid, ...drawn].join('\n')}
<text x="16" y="${full - 10}" fill="#777" font-size="11">${escaped(`${takenAt.slice(0, 10)} · ${cores} cores of ${cpu} · ${commit}`)}</text>
</svg>
`
}
