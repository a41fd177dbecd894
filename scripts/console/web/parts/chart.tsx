import type { Point } from '../../contract/flow.ts'
import { sparkPath } from '../model/sparkline.ts'

export const rateText = (rate: number | null): string =>
  rate === null ? '– /s' : `${rate.toFixed(rate < 10 ? 1 : 0)} /s`

interface ChartProps {
  readonly points: readonly Point[]
  readonly of: (point: Point) => number | null
  readonly label: string
}

/** The last hour; the highest value stands beside it. */
export function Chart({ points, of, label }: ChartProps) {
  const values = points.map(of)
  if (values.every((value) => value === null)) return <>–</>
  const most = Math.max(0, ...values.map((value) => value ?? 0))
  const text = most < 10 ? most.toFixed(1) : Math.round(most).toLocaleString('en')
  return (
    <span className="chart">
      <svg
        viewBox="0 0 120 24"
        width={120}
        height={24}
        role="img"
        aria-label={`${label}: at most ${text} in the last hour`}
      >
        <path d={sparkPath(values, 120, 24)} className="spark" />
      </svg>
      <small>max {text}</small>
    </span>
  )
}
