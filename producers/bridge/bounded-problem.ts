import type { Reply } from '../orders-api/http/reply.ts'

/** Bytes of a problem beside a dead letter at most. */
export const maxProblemBytes = 4_096
const maxTextLength = 300

interface Problem {
  readonly status: number
  readonly detail: string
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
}

/**
 * A refusal as problem+json in one line of ASCII, for a header or an attribute of a dead letter: texts are cut, and errors
 * are left out from the end until it fits. Every queue accepts these characters.
 */
export function boundedProblem({ body }: Reply): string {
  const { errors = [], ...problem } = body as Problem
  const cut = (text: string) => (text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text)
  const kept = errors.map(({ path, message }) => ({ path: cut(path), message: cut(message) }))
  for (;;) {
    const text = ascii({ ...problem, detail: cut(problem.detail), ...(kept.length > 0 && { errors: kept }) })
    if (text.length <= maxProblemBytes || kept.length === 0) return text
    kept.pop()
  }
}

const ascii = (value: object): string =>
  JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
