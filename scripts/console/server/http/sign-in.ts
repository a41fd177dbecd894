import { json, Router } from 'express'
import type { Request, RequestHandler, Response } from 'express'
import { z } from 'zod'
import type { Config } from '../../../../infra/config.ts'
import type { Logger } from '../../../../infra/logger.ts'
import { createAuthenticate } from '../../../../producers/orders-api/http/caller.ts'
import { createGuard } from '../../../../producers/orders-api/http/guard.ts'
import { send } from '../../../../producers/orders-api/http/operation.ts'
import { problem } from '../../../../producers/orders-api/http/reply.ts'
import type { Reply } from '../../../../producers/orders-api/http/reply.ts'
import type { Session } from '../../contract/session.ts'
import { cookiesNamed, sessionCookie } from './session-cookie.ts'

export interface SignInOptions {
  /** Undefined: the console asks for no token. */
  readonly authentication: Config['api']['authentication']
  /** Name of the cookie; known once the server listens. */
  readonly cookie: () => string
  readonly log: Logger
}

type Found =
  | { readonly session: Session; readonly refusal?: undefined }
  | { readonly session?: undefined; readonly refusal: Reply }

/** Browsers drop a cookie of more than 4,096 bytes without a word. */
const longestToken = 3_800
/** JSON Web Signature, compact: so it is in a cookie as it is. */
const signed = /^[\w-]+\.[\w-]+\.[\w-]+$/
const form = z.object({ token: z.string() })

/** Who sent the request; undefined where the console asks for no token. */
export const operatorOf = (response: Response): Session | undefined => response.locals['session'] as Session | undefined

/**
 * Demands a token with the scope `operations` for everything below `/api`, verified as the orders API does: from the
 * `Authorization` header, or from the cookie that `POST /api/sign-in` sets. The server keeps no sessions: the cookie is the
 * token, so it survives a restart and ends with it. Without authentication nothing is demanded.
 */
export function signIn({ authentication, cookie, log }: SignInOptions): RequestHandler {
  const routes = Router()
  if (!authentication) return routes.get('/session', (_request, response) => void response.json({}))

  const guard = createGuard(createAuthenticate(authentication), { exceededBy: () => undefined })
  const verify = async (authorization: string): Promise<Found> => {
    const { caller, refusal } = await guard(['operations'], { headers: { authorization } })
    if (refusal) return { refusal }
    const { subject = '', endsAt = 0 } = caller
    return { session: { subject, endsAt: new Date(endsAt).toISOString() } }
  }
  const sessionOf = async ({ headers }: Request): Promise<Found> => {
    if (headers.authorization !== undefined) return verify(headers.authorization)
    const [token, ...others] = cookiesNamed(cookie(), headers.cookie)
    if (token === undefined) return { refusal: problem(401, 'Sign in with a token that has the scope operations.') }
    if (others.length === 0) return verify(`Bearer ${token}`)
    return {
      refusal: problem(401, `Another server of this host has set a cookie "${cookie()}", too: clear the cookies.`),
    }
  }

  routes.post('/sign-in', json({ limit: '16kb' }), async (request, response) => {
    const body = form.safeParse(request.body)
    // As it may be pasted: with the name of its scheme, or in several lines
    const token = body.data?.token.replace(/^\s*Bearer\s/i, '').replaceAll(/\s+/g, '')
    if (!token) return send(response, problem(422, 'Paste a token.'))
    if (!signed.test(token))
      return send(response, problem(422, 'This is no token: one has three parts with a dot between them.'))
    if (token.length > longestToken)
      return send(response, problem(422, `A browser keeps no token of more than ${longestToken} characters.`))
    const { session, refusal } = await verify(`Bearer ${token}`)
    if (!session) {
      log.warn({ status: refusal.status }, 'sign-in refused')
      return send(response, refusal)
    }
    log.info({ operator: session.subject, until: session.endsAt }, 'signed in')
    response.cookie(cookie(), token, { ...sessionCookie, maxAge: Date.parse(session.endsAt) - Date.now() })
    response.json(session)
  })
  routes.post('/sign-out', (_request, response) => {
    response.clearCookie(cookie(), sessionCookie).json({})
  })
  routes.use(async (request, response, next) => {
    const { session, refusal } = await sessionOf(request)
    if (!session) return send(response, refusal)
    response.locals['session'] = session
    next()
  })
  return routes.get('/session', (_request, response) => void response.json(operatorOf(response)))
}
