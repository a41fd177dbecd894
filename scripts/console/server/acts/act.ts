import type { RequestHandler } from 'express'
import { z } from 'zod'
import { problem } from '../../../../producers/orders-api/http/reply.ts'
import { send } from '../../../../producers/orders-api/http/operation.ts'
import { actorOf } from '../../../cli/consent.ts'
import type { Done } from '../../contract/problem.ts'
import { operatorOf } from '../http/sign-in.ts'

/** Something an operator does. Its body is JSON. */
export interface Act {
  readonly body: z.ZodType
  /** @param who stands in the audit */
  perform(body: unknown, who: string): Promise<Done>
}

/** The name given on the page: a console that asks for no token takes its word for it. */
const named = z.object({ actor: z.string().trim().min(1).max(60).optional() })

/** A reason that other operators will read. */
export const why = z.string().trim().min(1, 'Say why: other operators will read it.').max(500)

/** Infers the type of the body, then erases it so that all acts fit into one list. */
export const act = <Body extends z.ZodType>(
  body: Body,
  perform: (body: z.infer<Body>, who: string) => Promise<Done>,
): Act => ({ body, perform: (checked, who) => perform(checked as z.infer<Body>, who) })

/** `POST /api/acts/:name`. Who acts: the one who is signed in, else the name given on the page, else the server's user. */
export const serveActs =
  (acts: Readonly<Record<string, Act>>): RequestHandler<{ name: string }> =>
  async (request, response) => {
    const { name } = request.params
    const found = Object.hasOwn(acts, name) ? acts[name] : undefined
    if (!found) return send(response, problem(404, `There is no act "${name}".`))
    const [body, given] = [found.body.safeParse(request.body), named.safeParse(request.body)]
    const refused = body.error ?? given.error
    if (refused) return send(response, faultsOf(refused))
    response.json(await found.perform(body.data, operatorOf(response)?.subject ?? actorOf(given.data ?? {})))
  }

function faultsOf({ issues }: z.ZodError) {
  const faults = issues.map(({ path, message }) => ({ path: path.join('/'), message }))
  return problem(422, faults.map(({ message }) => message).join(' '), { errors: faults })
}
