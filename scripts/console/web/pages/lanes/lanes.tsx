import { useState } from 'react'
import type { ConsumerLanes, Lane, LanesPage } from '../../../contract/lanes.ts'
import { duration } from '../../model/format-time.ts'
import { ranges } from '../../model/ranges.ts'
import { Notice } from '../../../../../infra/web/client/notice.tsx'
import { Words } from '../../parts/words.tsx'
import { Part } from '../../parts/problem.tsx'
import { useFeed } from '../../live/live.ts'
import { LaneActs } from './lane-acts.tsx'
import { LaneDetail } from './lane-detail.tsx'
import { Advice, ScaleButton } from './scale.tsx'

/** Which replica owns which lane, and what is wrong with them. */
export function Lanes() {
  const reading = useFeed<LanesPage>('lanes')
  return (
    <>
      <header className="page-head">
        <div>
          <h1>Lanes</h1>
          <p className="lead">
            A lane is one partition number over all topics of a consumer. One replica owns it at a time.
          </p>
        </div>
        <Advice />
      </header>
      <Part reading={reading} what="the lanes">
        {({ consumers, undeployed, brokerTrouble }) => (
          <>
            {brokerTrouble && (
              <Notice kind="warn" title="The lag is unknown">
                <Words text={brokerTrouble} />
              </Notice>
            )}
            {undeployed.length > 0 && (
              <Notice kind="info" title={`Without tables, so not shown: ${undeployed.join(', ')}`}>
                <code>npm run deploy</code> makes them.
              </Notice>
            )}
            {consumers.map((consumer) => (
              <Consumer key={consumer.consumer} consumer={consumer} />
            ))}
          </>
        )}
      </Part>
    </>
  )
}

function Consumer({ consumer }: { consumer: ConsumerLanes }) {
  const { consumer: name, lanes, behind, behindMs, parked, rate, skew, replicas } = consumer
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set())
  const [shown, setShown] = useState<number>()
  const toggle = (lane: number) => {
    const next = new Set(chosen)
    if (!next.delete(lane)) next.add(lane)
    setChosen(next)
    setShown(lane)
  }
  const lane = lanes.find((each) => each.lane === shown)
  const troubles = troublesByText(lanes)
  const running = replicas.filter((replica) => replica !== null).length
  return (
    <section className="consumer" aria-labelledby={`consumer-${name}`}>
      <header>
        <h2 id={`consumer-${name}`}>{name}</h2>
        <dl>
          <Figure name="replicas" value={String(running)} />
          <Figure name="behind" value={behind === null ? 'unknown' : behind.toLocaleString('en')} />
          <Figure
            name="oldest waits"
            value={behindMs > 0 ? `over ${duration(behindMs)}` : behind === null ? 'unknown' : 'no time'}
          />
          <Figure name="events/s" value={rate === null ? '–' : rate.toFixed(rate < 10 ? 1 : 0)} />
          <Figure name="parked" value={parked.toLocaleString('en')} />
        </dl>
        <ScaleButton consumer={name} replicas={running} lanes={lanes.length} />
      </header>
      {troubles.map(({ text, own, cure }) => (
        <Notice
          key={text}
          kind={isBad(own) ? 'bad' : 'warn'}
          title={`${own.length === 1 ? 'Lane' : 'Lanes'} ${ranges(own.map((each) => each.lane))}: ${text}`}
        >
          {cure && <code>{cure}</code>}
        </Notice>
      ))}
      {skew && <Notice kind="info" title={skew} />}
      <Grid consumer={consumer} chosen={chosen} onToggle={toggle} />
      {chosen.size > 0 && <LaneActs consumer={name} lanes={lanes.filter((each) => chosen.has(each.lane))} />}
      {lane && chosen.has(lane.lane) && <LaneDetail consumer={name} lane={lane} />}
    </section>
  )
}

const Figure = ({ name, value }: { name: string; value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
)

const isBad = (lanes: readonly Lane[]): boolean =>
  lanes.some(({ condition }) => condition === 'stopped' || condition === 'silent' || condition === 'unowned')

function troublesByText(lanes: readonly Lane[]): { text: string; own: Lane[]; cure: string | null }[] {
  const all = lanes.flatMap((lane) => lane.troubles.map(({ text, cure }) => ({ text, cure, lane })))
  return [...Map.groupBy(all, ({ text }) => text)].map(([text, found]) => ({
    text,
    own: found.map(({ lane }) => lane),
    cure: found[0]?.cure?.replace(/ --lane \d+$/, ` --lane ${ranges(found.map(({ lane }) => lane.lane))}`) ?? null,
  }))
}

const signs: Readonly<Record<string, string>> = {
  live: '●',
  claiming: '◌',
  pausing: '‖',
  paused: '‖',
  waiting: '…',
  stopped: '✕',
  silent: '?',
  unowned: '○',
}

interface GridProps {
  readonly consumer: ConsumerLanes
  readonly chosen: ReadonlySet<number>
  readonly onToggle: (lane: number) => void
}

/** One row a replica, one column a lane. */
function Grid({ consumer: { consumer, lanes, replicas }, chosen, onToggle }: GridProps) {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={`Lanes of ${consumer}`}>
      <table className="grid">
        <thead>
          <tr>
            <th scope="col">Replica</th>
            {lanes.map(({ lane }) => (
              <th key={lane} scope="col">
                {lane}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {replicas.map((replica) => (
            <tr key={replica ?? 'none'} data-row>
              <th scope="row" className={replica === null ? 'nobody' : 'id'}>
                {replica ?? 'no replica'}
              </th>
              {lanes.map((lane) => (
                <td key={lane.lane}>
                  {lane.replica === replica && (
                    <button
                      type="button"
                      className={`cell ${lane.condition} ${lane.troubles.length > 0 ? 'troubled' : ''}`}
                      aria-pressed={chosen.has(lane.lane)}
                      aria-label={`Lane ${lane.lane} of ${consumer}: ${lane.condition}, ${lane.behind ?? 'unknown'} behind${lane.parked > 0 ? `, ${lane.parked} parked` : ''}`}
                      title={`${lane.condition}, ${lane.behind ?? '?'} behind`}
                      onClick={() => onToggle(lane.lane)}
                    >
                      <span aria-hidden="true">{signs[lane.condition] ?? '?'}</span>
                      <span className="cell-lag">
                        {lane.behind === null ? '?' : lane.behind > 0 ? compact(lane.behind) : ''}
                      </span>
                      {lane.parked > 0 && <span className="cell-parked">{compact(lane.parked)}</span>}
                    </button>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const format = new Intl.NumberFormat('en', { notation: 'compact' })
const compact = (value: number): string => format.format(value)
