import type { TopicsPage } from '../../../contract/topics.ts'
import { duration } from '../../model/format-time.ts'
import { Part } from '../../parts/problem.tsx'
import { Notice } from '../../../../../infra/web/client/notice.tsx'
import { Words } from '../../parts/words.tsx'
import { Table } from '../../parts/table.tsx'
import { useFeed } from '../../live/live.ts'
import { Link } from '../../../../../infra/web/client/router.tsx'
import { Schemas } from './schemas.tsx'

/** The topics, and the schemas of their events. */
export function Topics() {
  const reading = useFeed<TopicsPage>('topics')
  return (
    <>
      <header className="page-head">
        <div>
          <h1>Topics and schemas</h1>
          <p className="lead">
            Every event type travels on one topic, whose key is the order or, for stock, the article.
          </p>
        </div>
      </header>
      <Part reading={reading} what="the topics">
        {({ topics, databaseTrouble }) => (
          <>
            {databaseTrouble && (
              <Notice kind="warn" title="These are the topics as this console last knew them">
                <Words text={databaseTrouble} />
              </Notice>
            )}
            <Table label="Topics" columns={['Topic', 'Written by', 'Events', 'Read by', 'Partitions', 'Kept']}>
              {topics.map(({ name, writers, events, readers, partitions, retentionMs }) => (
                <tr key={name} data-row>
                  <th scope="row">
                    <Link to={`/topics/${name}`}>{name}</Link>
                  </th>
                  <td>{writers.join(', ')}</td>
                  <td>{events.join(', ')}</td>
                  <td>{readers.join(', ')}</td>
                  <td>{partitions ?? 'unknown'}</td>
                  <td>{duration(retentionMs)}</td>
                </tr>
              ))}
            </Table>
          </>
        )}
      </Part>
      <Schemas />
    </>
  )
}
