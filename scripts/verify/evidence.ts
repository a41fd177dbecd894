import type { GroupAccount } from '../../consumers/operations/group-account.ts'
import type { Group, Writer } from '../../consumers/operations/groups.ts'
import type { GatewayJournal } from './gateway-journal.ts'
import type { OutboxLane } from '../../producers/outbox/outbox-backlog.ts'
import type { ServiceTables } from './service-tables.ts'
import type { TopicHistory } from './topic-history.ts'

/** Everything the invariants are judged by. Nobody's word is taken twice: each invariant sets two of these accounts against each other. */
export interface Evidence {
  /** What the topics say. */
  history: TopicHistory
  /** What the payment gateway says; undefined if it shows no journal. */
  journal?: GatewayJournal
  /** What the outboxes say of what was published. */
  outboxes: readonly { writer: Writer; lanes: ReadonlyMap<number, OutboxLane> }[]
  /** What each group says it has read. */
  groups: readonly { group: Group; account: GroupAccount }[]
  /** What the services believe. */
  tables: ServiceTables
}
