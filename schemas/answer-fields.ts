import { z } from 'zod'
import { isPlausibleTime } from './time.ts'
import { isId, isText } from './validate.ts'

/*
 * Fields of what the outside answers that go into events. An answer that no event could hold is no answer: its outcome is
 * unknown and it is asked for again. Taken for an answer it would only fail later, and be parked.
 */
export const idField = z.string().refine(isId, 'no id')
export const textField = z.string().min(1).refine(isText, 'no text that can be stored')
export const timeField = z.int().refine(isPlausibleTime, 'no time in epoch milliseconds')
