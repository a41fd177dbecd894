import type { Request } from 'express'
import { NotAuthenticated } from './caller.ts'
import type { Access, Authenticate, Caller } from './caller.ts'
import { problem } from './reply.ts'
import type { Reply } from './reply.ts'
import type { SubjectLimits } from './subject-limits.ts'

/** Decides who sends a request and whether they may: a caller, or a refusal. */
export type Guard = (
  access: Exclude<Access, 'open'>,
  request: Pick<Request, 'headers'>,
) => Promise<{ caller: Caller; refusal?: undefined } | { caller?: undefined; refusal: Reply }>

/** @throws TallyError UNREACHABLE if tokens cannot be verified at the moment */
export const createGuard =
  (authenticate: Authenticate, limits: Pick<SubjectLimits, 'exceededBy'>): Guard =>
  async (access, { headers }) => {
    try {
      const caller = await authenticate(headers.authorization)
      const waitS = limits.exceededBy(caller)
      if (waitS !== undefined) return { refusal: problem(429, 'Too many requests.', { retryAfterS: waitS }) }
      if (access !== 'any' && !access.some((scope) => caller.may(scope)))
        return { refusal: challenge(403, `This needs a token with the scope ${access.join(' or ')}.`) }
      return { caller }
    } catch (error) {
      if (!(error instanceof NotAuthenticated)) throw error
      return { refusal: challenge(401, error.message) }
    }
  }

/** RFC 6750, section 3. */
function challenge(status: 401 | 403, detail: string): Reply {
  const refusal = problem(status, detail)
  const error = status === 401 ? 'invalid_token' : 'insufficient_scope'
  return { ...refusal, headers: { ...refusal.headers, 'www-authenticate': `Bearer error="${error}"` } }
}
