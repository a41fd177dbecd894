import type { KafkaMessage } from 'kafkajs'
import type { EventType } from '../../../../schemas/generated/events.ts'
import type { RecordInput } from '../../../runtime/model.ts'
import { readRecords } from '../../../runtime/batch/read-records.ts'
import { asDecided } from './operator-decisions.ts'
import type { Decisions } from './operator-decisions.ts'
import type { ReplayContext } from '../mode.ts'
import type { Plan } from '../plan.ts'
import type { ChosenRecord } from './read-stretches.ts'

/** A selected record and the input to handle. */
export interface ChosenInput {
  readonly record: ChosenRecord
  /** Absent if an operator has dropped the event, or the group does not handle its type. */
  readonly input?: RecordInput
  readonly dropped: boolean
}

/**
 * Reads selected records as the group does, with the edits and drops of operators applied.
 * @throws TallyError UNREACHABLE while the registry does not answer
 */
export async function readChosen(
  { codec, config, definition }: Pick<ReplayContext, 'codec' | 'config' | 'definition'>,
  { topics }: Pick<Plan, 'topics'>,
  chosen: readonly ChosenRecord[],
  decisions: Decisions,
): Promise<ChosenInput[]> {
  const handled = new Set(Object.keys(definition?.handlers ?? {}) as EventType[])
  const decided = chosen.map((record) => ({
    record,
    message: asDecided(decisions, record.topic, record.partition, record.message),
  }))
  const inputs = new Map<KafkaMessage, RecordInput>()
  for (const ofPlace of Map.groupBy(decided, ({ record }) => `${record.topic}/${record.partition}`).values()) {
    const { topic, partition } = ofPlace[0]!.record
    const topicId = topics.find((each) => each.topic === topic)?.topicId ?? undefined
    const messages = ofPlace.flatMap(({ message }) => message ?? [])
    const source = { codec, handled, partitions: config.partitions, topic, topicId, partition }
    const batch = await readRecords(messages, 0, messages.length, source)
    for (const input of batch.inputs) inputs.set(input.message, input)
  }
  return decided.map(({ record, message }) => ({
    record,
    input: message && inputs.get(message),
    dropped: message === undefined,
  }))
}
