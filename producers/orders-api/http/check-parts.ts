import type { z, ZodObject, ZodType } from 'zod'
import { problem } from './reply.ts'
import type { FieldError, Reply } from './reply.ts'

/** The parts of a request, by name. */
export interface Parts {
  path?: ZodObject
  query?: ZodObject
  header?: ZodObject
  body?: ZodType
}

export type Input<P extends Parts> = { [Name in keyof P]: P[Name] extends ZodType ? z.infer<P[Name]> : undefined }

/** Reads the parts of a request by their schemas. @returns the input, or all faults by place */
export function checkParts<P extends Parts>(
  parts: P,
  given: Partial<Record<keyof Parts, unknown>>,
): { input: Input<P>; errors?: undefined } | { errors: readonly FieldError[]; input?: undefined } {
  const input: Record<string, unknown> = {}
  const errors: FieldError[] = []
  for (const name of ['path', 'query', 'header', 'body'] as const) {
    const result = parts[name]?.safeParse(given[name])
    if (result?.success) input[name] = result.data
    else if (result) errors.push(...result.error.issues.flatMap((issue) => describeIssue(name, issue)))
  }
  return errors.length > 0 ? { errors } : { input: input as Input<P> }
}

/** The refusal of a request with these faults. */
export const invalid = (errors: readonly FieldError[]): Reply =>
  problem(400, `The request is not valid: ${errors.length === 1 ? '1 error' : `${errors.length} errors`}.`, {
    errors: errors.slice(0, 20),
  })

function describeIssue(part: keyof Parts, issue: z.core.$ZodIssue): FieldError[] {
  const at = (...path: PropertyKey[]) => `${part === 'body' ? '' : part}${pointer(path)}`
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: at(...issue.path, key), message: 'is not known' }))
  }
  return [{ path: at(...issue.path), message: issue.message }]
}

/** RFC 6901. */
const pointer = (path: readonly PropertyKey[]): string =>
  path.map((token) => `/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
