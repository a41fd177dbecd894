import type { GroupAccount } from '../../consumers/operations/group-account.ts'
import type { Group, Writer } from '../../consumers/operations/groups.ts'
import type { Losses } from './acts/losses.ts'
import type { GatewayJournal } from './gateway-journal.ts'
import type { OutboxLane } from '../../producers/outbox/outbox-backlog.ts'
import type { ServiceTables } from './service-tables.ts'
import type { TopicHistory } from './topic-history.ts'

/** Everything that the invariants compare. No source is trusted twice: each invariant compares two independent accounts. */
export interface Evidence {
  /** The events on all topics. */
  history: TopicHistory
  /** The payment gateway's journal; undefined if the gateway publishes none. */
  journal?: GatewayJournal
  /** The outbox numbers that each writer has assigned, and the rows still to be published. */
  outboxes: readonly { writer: Writer; lanes: ReadonlyMap<number, OutboxLane> }[]
  /** The ledger, inbox and parked events of each group. */
  groups: readonly { group: Group; account: GroupAccount }[]
  /** The acts of operators that decided what became of the events of a key; undefined if there are none. */
  causeOf(key: string): string | undefined
  /** What operators accepted as lost. */
  losses: Losses
  /** Consumers without tables: removed, or not deployed yet. What they published may still be on the topics. */
  undeployed: ReadonlySet<string>
  /** The rows of the services' own tables. */
  tables: ServiceTables
}
