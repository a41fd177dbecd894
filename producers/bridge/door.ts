import type { Logger } from '../../infra/logger.ts'
import type { Intake } from './intake.ts'
import type { Outcome } from './message.ts'

/** What a bridge is asked to do. */
export interface BridgeRequest {
  readonly door: 'rabbitmq' | 'sqs'
  readonly queue: string
  /** RabbitMQ: queue for what cannot be an order. SQS has it in the queue's redrive policy. @default `<queue>.dead-letter` */
  readonly deadLetter?: string | undefined
  /** Messages in work at most. */
  readonly prefetch: number
}

export interface DoorOptions {
  readonly request: BridgeRequest
  readonly intake: Intake
  readonly log: Logger
  /** Counts a message that was settled at the queue. */
  onSettled(outcome: Outcome['kind']): void
}

/** Takes messages from a queue as long as it runs, and settles each there once its outcome is certain. */
export interface Door {
  /** Why it takes no messages at the moment; undefined if it does. */
  trouble(): string | undefined
  /** Rejects when the queue refuses access for good. */
  readonly ended: Promise<void>
  /** Takes no more messages. Resolves when those in work are settled or `deadline` is over; the rest is left to the queue. */
  stop(deadlineMs: number): Promise<void>
}

export const deadLetterOf = ({ queue, deadLetter = `${queue}.dead-letter` }: BridgeRequest): string => deadLetter
