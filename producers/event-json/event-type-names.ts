import { didYouMean } from '../../infra/closest-names.ts'
import type { EventType } from '../../schemas/generated/events.ts'
import { eventTypes } from '../../schemas/topics.ts'

export const isEventType = (name: unknown): name is EventType => eventTypes.includes(name as EventType)

/** Two sentences: that there is no such type, with the nearest ones, and where all are listed. */
export function unknownType(type: unknown): string {
  const name = String(type)
  return `There is no event type ${name}.${didYouMean(name, eventTypes)} \`npm run produce -- --help\` lists them`
}
