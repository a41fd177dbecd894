import type { OrderEvent } from '../../../contract/orders.ts'
import { duration } from '../../model/format-time.ts'
import { swimlanes } from '../../model/swimlane.ts'

const left = 112
const width = 880
const rowHeight = 30
const top = 26

interface PictureProps {
  readonly events: readonly OrderEvent[]
  readonly chosen: number | undefined
  readonly onChoose: (index: number) => void
}

/** Who wrote and handled what, when. The list of events below says the same. */
export function OrderPicture({ events, chosen, onChoose }: PictureProps) {
  const picture = swimlanes(events)
  if (!picture || picture.rows.length < 2) return null
  const { rows, marks, arcs, ticks, spanMs } = picture
  const px = (x: number) => left + 12 + x * (width - left - 30)
  const py = (row: number) => top + row * rowHeight + rowHeight / 2
  const height = top + rows.length * rowHeight + 4
  return (
    <figure className="picture">
      <div className="picture-scroll" tabIndex={0} role="region" aria-label="Picture of the order">
        <svg
          viewBox={`0 0 ${width} ${height}`}
          role="img"
          aria-label={`${events.length} events of ${rows.length} services over ${duration(spanMs)}; the list below says the same`}
        >
          {ticks.map(({ x, ms }) => (
            <g key={ms}>
              <line x1={px(x)} x2={px(x)} y1={top - 4} y2={height} className="grid" />
              <text x={px(x)} y={14} className="tick" textAnchor="middle">
                +{duration(ms)}
              </text>
            </g>
          ))}
          {rows.map((name, row) => (
            <g key={name}>
              <line x1={left} x2={width - 8} y1={py(row)} y2={py(row)} className="lane" />
              <text x={left - 8} y={py(row) + 4} textAnchor="end" className="lane-name">
                {name}
              </text>
            </g>
          ))}
          {arcs.map(({ x1, row1, x2, row2, eventIndex }, index) => (
            <path
              key={index}
              d={`M${px(x1)} ${py(row1)} C${(px(x1) + px(x2)) / 2} ${py(row1)} ${(px(x1) + px(x2)) / 2} ${py(row2)} ${px(x2)} ${py(row2)}`}
              className={eventIndex === chosen ? 'arc chosen' : 'arc'}
            />
          ))}
          {marks.map(({ x, row, kind, label, eventIndex }, index) => (
            <g
              key={index}
              onClick={() => onChoose(eventIndex)}
              className={`mark ${kind} ${eventIndex === chosen ? 'chosen' : ''}`}
            >
              <title>{label}</title>
              {kind === 'published' ? (
                <circle cx={px(x)} cy={py(row)} r={6} />
              ) : (
                <rect x={px(x) - 2.5} y={py(row) - 8} width={5} height={16} rx={2} />
              )}
            </g>
          ))}
        </svg>
      </div>
      <figcaption>
        <span className="key published" aria-hidden="true" /> published{' '}
        <span className="key handled" aria-hidden="true" /> handled <span className="key parked" aria-hidden="true" />{' '}
        parked. Idle time is shortened.
      </figcaption>
    </figure>
  )
}
