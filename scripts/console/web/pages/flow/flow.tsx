import type { FlowPage } from '../../../contract/flow.ts'
import { layoutFlow } from '../../model/flow-layout.ts'
import type { FlowNode } from '../../model/flow-layout.ts'
import { duration } from '../../model/format-time.ts'
import { sparkPath } from '../../model/sparkline.ts'
import { Notice } from '../../../../../infra/web/client/notice.tsx'
import { Words } from '../../parts/words.tsx'
import { Part } from '../../parts/problem.tsx'
import { useFeed } from '../../live/live.ts'
import { navigate } from '../../../../../infra/web/client/router.tsx'
import { rateText } from '../../parts/chart.tsx'
import { FlowTables } from './flow-tables.tsx'

/** What flows where, how fast, and what waits. */
export function Flow() {
  const reading = useFeed<FlowPage>('flow')
  return (
    <>
      <header className="page-head">
        <div>
          <h1>Flow</h1>
          <p className="lead">
            Drawn from the topics and consumers of the code itself. A service that writes and reads stands on both
            sides.
          </p>
        </div>
      </header>
      <Part reading={reading} what="the flow">
        {(page) => (
          <>
            {page.brokerTrouble && (
              <Notice kind="warn" title="Rates and lag are unknown">
                <Words text={page.brokerTrouble} />
              </Notice>
            )}
            {page.databaseTrouble && (
              <Notice kind="warn" title="Only what the code says is known">
                <Words text={page.databaseTrouble} />
              </Notice>
            )}
            {page.unpublished !== null && page.unpublished.events > 0 && (page.unpublished.oldestMs ?? 0) > 10_000 && (
              <Notice
                kind="warn"
                title={`The orders API has ${page.unpublished.events} events unpublished for ${duration(page.unpublished.oldestMs ?? 0)}`}
              />
            )}
            <Picture page={page} />
            <FlowTables page={page} />
          </>
        )}
      </Part>
    </>
  )
}

function Picture({ page }: { page: FlowPage }) {
  const { nodes, lines, width, height } = layoutFlow(page)
  const most = Math.max(1, ...lines.map(({ rate }) => rate ?? 0))
  return (
    <figure className="picture flow">
      <div className="picture-scroll" tabIndex={0} role="region" aria-label="Picture of the flow">
        <svg
          viewBox={`-4 -14 ${width + 8} ${height + 28}`}
          role="img"
          aria-label="Writers, topics and consumers; the tables below say the same"
        >
          {lines.map(({ from, to, rate, behind, path, labelX, labelY }) => (
            <g key={`${from.id}-${to.id}`} className={behind !== null && behind > 0 ? 'line late' : 'line'}>
              <path d={path} strokeWidth={1.2 + 4 * Math.sqrt((rate ?? 0) / most)} />
              {to.kind === 'consumer' && behind !== null && behind > 0 && (
                <text x={labelX} y={labelY} textAnchor="end" className="lag">
                  {behind.toLocaleString('en')} behind
                </text>
              )}
            </g>
          ))}
          {nodes.map((node) => (
            <Box key={node.id} node={node} page={page} />
          ))}
        </svg>
      </div>
      <figcaption>
        Rates are events a second. Lines grow with the rate. A line that is behind is drawn in the colour of warnings
        and says how far.
      </figcaption>
    </figure>
  )
}

function Box({ node, page }: { node: FlowNode; page: FlowPage }) {
  const { kind, name, x, y, width, height } = node
  const topic = kind === 'topic' ? page.topics.find((each) => each.name === name) : undefined
  const consumer = kind === 'consumer' ? page.consumers.find((each) => each.name === name) : undefined
  const isTroubled = consumer !== undefined && (consumer.troubled > 0 || consumer.replicas === 0)
  const history = (topic ?? consumer)?.history.map(({ rate }) => rate) ?? []
  const open = consumer ? () => navigate('/lanes') : undefined
  return (
    <g transform={`translate(${x} ${y})`} className={`box ${kind} ${isTroubled ? 'troubled' : ''}`} onClick={open}>
      <rect width={width} height={height} rx={kind === 'topic' ? height / 2 : 8} />
      <text x={kind === 'topic' ? 22 : 14} y={22} className="box-name">
        {isTroubled ? '! ' : ''}
        {name}
      </text>
      {topic && (
        <text x={22} y={40} className="box-figures">
          {rateText(topic.rate)}
        </text>
      )}
      {consumer && (
        <text x={14} y={42} className="box-figures">
          {consumer.replicas === null
            ? 'unknown'
            : `${consumer.replicas} replica${consumer.replicas === 1 ? '' : 's'} · ${rateText(consumer.rate)}`}
          {consumer.parked !== null && consumer.parked > 0 && ` · ${consumer.parked} parked`}
        </text>
      )}
      {history.length > 1 && (
        <path d={sparkPath(history, 52, 18)} transform={`translate(${width - 72} 8)`} className="spark" />
      )}
    </g>
  )
}
