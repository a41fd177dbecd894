import { createRequire } from 'node:module'

/** The errors of kafkajs by code; it has no types. */
const { createErrorFromCode } = createRequire(import.meta.url)('kafkajs/src/protocol/error.js') as {
  createErrorFromCode(code: number): Error & { type: string }
}

/**
 * Answers with which Kafka asks to try again, and that belong to every start, change of replicas and move of a leader:
 * LEADER_NOT_AVAILABLE, NOT_LEADER_FOR_PARTITION, GROUP_LOAD_IN_PROGRESS, GROUP_COORDINATOR_NOT_AVAILABLE,
 * NOT_COORDINATOR_FOR_GROUP, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, MEMBER_ID_REQUIRED.
 * Source: Apache Kafka protocol guide, "Error Codes".
 */
const passing = [5, 6, 14, 15, 16, 22, 27, 79].map((code) => createErrorFromCode(code))
const types = new Set(passing.map(({ type }) => type))
const texts = passing.map(({ message }) => message)

/** Whether a log entry of kafkajs tells of such an answer: it has the text only. */
export const tellsOfPassingAnswer = (message: string, error: string | undefined): boolean =>
  texts.some((text) => error === text || message.endsWith(`: ${text}`))

/** Whether such an answer is the error or its cause. */
export const isPassingAnswer = (error: unknown): boolean =>
  error instanceof Error && (types.has(String((error as { type?: string }).type)) || isPassingAnswer(error.cause))
