import { useState } from 'react'
import type { Finding, Proof, ProofPage } from '../../contract/proof.ts'
import { CommandLine } from '../parts/copy.tsx'
import { JobView } from '../parts/outcome.tsx'
import { Pill } from '../parts/pill.tsx'
import { Notice } from '../../../../infra/web/client/notice.tsx'
import { Part } from '../parts/problem.tsx'
import { Table } from '../parts/table.tsx'
import { DateAndClock } from '../parts/time.tsx'
import { useAct } from '../live/acts.ts'
import { useFeed } from '../live/live.ts'

/** Runs `verify` and shows its invariants. */
export function ProofPageView() {
  const reading = useFeed<ProofPage>('proof')
  const act = useAct()
  const [settle, setSettle] = useState('30')
  return (
    <>
      <header className="page-head">
        <div>
          <h1>Proof</h1>
          <p className="lead">
            Compares the topics, all tables and the gateway’s journal: did every event take effect exactly once?
          </p>
        </div>
        <form
          className="filters"
          onSubmit={(event) => {
            event.preventDefault()
            void act.perform('verify', { settle: Number(settle) })
          }}
        >
          <label>
            Wait for work in flight, s
            <input
              type="number"
              min={0}
              max={3_600}
              value={settle}
              onChange={({ target }) => setSettle(target.value)}
            />
          </label>
          <button type="submit" className="primary" disabled={act.busy || Boolean(reading.data?.running)}>
            Verify now
          </button>
        </form>
      </header>
      {act.problem && <Notice kind="warn" title={act.problem.detail ?? 'It was not begun'} />}
      <Part reading={reading} what="the last proof">
        {({ running, last }) => (
          <>
            {running && <JobView id={running} />}
            {last ? (
              <Verdict proof={last} />
            ) : running ? null : (
              <section className="empty">
                <h2>Nothing has been checked since the console was started</h2>
                <p>
                  The check reads everything and changes nothing. The same as <CommandLine command="npm run verify" />
                </p>
              </section>
            )}
          </>
        )}
      </Part>
    </>
  )
}

function Verdict({ proof: { ok, at, findings, orders, undeployed } }: { proof: Proof }) {
  const violated = findings.filter(({ violations }) => violations > 0).length
  const all = Object.values(orders).reduce((sum, each) => sum + each, 0)
  return (
    <>
      <section className={`verdict ${ok ? 'ok' : 'bad'}`}>
        <h2>
          {ok
            ? 'Proved: every event took effect exactly once'
            : `Not proved: ${violated} of ${findings.length} invariants are violated`}
        </h2>
        <p>
          {findings.length} invariants, {all.toLocaleString('en')} orders, <DateAndClock at={at} />
        </p>
        <dl className="headline">
          {Object.entries(orders).map(([state, count]) => (
            <div key={state}>
              <dt>
                <Pill state={state} />
              </dt>
              <dd>{count.toLocaleString('en')}</dd>
            </div>
          ))}
        </dl>
      </section>
      {undeployed.length > 0 && (
        <Notice kind="info" title={`Not checked, because they have no tables: ${undeployed.join(', ')}`} />
      )}
      <Table label="Invariants" columns={['Result', 'Invariant', 'Figures']}>
        {findings.map((finding) => (
          <Row key={finding.id} finding={finding} />
        ))}
      </Table>
    </>
  )
}

function Row({ finding: { invariant, figures, violations, examples, reported } }: { finding: Finding }) {
  return (
    <tr data-row>
      <td>
        <Pill state={violations === 0 ? 'holds' : 'violated'} />
      </td>
      <th scope="row">
        {invariant}
        {examples.length > 0 && (
          <ul className="examples">
            {examples.map((example) => (
              <li key={example}>{example}</li>
            ))}
          </ul>
        )}
        {reported > examples.length && <small>{reported.toLocaleString('en')} in all</small>}
      </th>
      <td>{figures}</td>
    </tr>
  )
}
