import { z } from 'zod'
import { isPlausibleTime } from './time.ts'
import { isId, isText } from './validate.ts'

/*
 * Fields of external answers that go into events. An answer that no event can hold counts as none: the outcome is unknown
 * and the call is retried. Otherwise it would fail later, when the event is encoded, and be parked.
 */
export const idField = z.string().refine(isId, 'not an id')
export const textField = z.string().min(1).refine(isText, 'not a text that can be stored')
export const timeField = z.int().refine(isPlausibleTime, 'not a time in epoch milliseconds')
