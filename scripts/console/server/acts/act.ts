import type { RequestHandler } from 'express'
import { z } from 'zod'
import { problem } from '../../../../producers/orders-api/http/reply.ts'
import { send } from '../../../../producers/orders-api/http/operation.ts'
import { actorOf } from '../../../cli/consent.ts'
import type { Done } from '../../contract/problem.ts'

/** Something an operator does. Its body is JSON; `actor` stands in the audit. */
export interface Act {
  readonly body: z.ZodType
  perform(body: unknown): Promise<Done>
}

/** Who acts: the name given on the page, else the user who runs the server. */
export const actor = z
  .string()
  .trim()
  .min(1)
  .max(60)
  .optional()
  .transform((name) => actorOf({ actor: name }))

/** A reason that other operators will read. */
export const why = z.string().trim().min(1, 'Say why: other operators will read it.').max(500)

/** Infers the type of the body, then erases it so that all acts fit into one list. */
export const act = <Body extends z.ZodType>(body: Body, perform: (body: z.infer<Body>) => Promise<Done>): Act => ({
  body,
  perform: (checked) => perform(checked as z.infer<Body>),
})

/** `POST /api/acts/:name` */
export const serveActs =
  (acts: Readonly<Record<string, Act>>): RequestHandler<{ name: string }> =>
  async (request, response) => {
    const { name } = request.params
    const found = Object.hasOwn(acts, name) ? acts[name] : undefined
    if (!found) return send(response, problem(404, `There is no act "${name}".`))
    const parsed = found.body.safeParse(request.body)
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => ({ path: path.join('/'), message }))
      return send(response, problem(422, faults.map(({ message }) => message).join(' '), { errors: faults }))
    }
    response.json(await found.perform(parsed.data))
  }
