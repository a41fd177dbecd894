import type { ErrorRequestHandler } from 'express'
import { isTallyError } from '../../../../infra/errors.ts'
import type { ErrorCode } from '../../../../infra/errors.ts'
import { explainFailure } from '../../../../infra/explain-failure.ts'
import type { Config } from '../../../../infra/config.ts'
import { problem } from '../../../../producers/orders-api/http/reply.ts'
import type { Reply } from '../../../../producers/orders-api/http/reply.ts'
import { send } from '../../../../producers/orders-api/http/operation.ts'

const statuses: Partial<Record<ErrorCode, number>> = {
  USAGE: 422,
  BAD_LINES: 422,
  PRECONDITION_FAILED: 409,
  BUSY: 409,
  FENCED: 409,
  EVENTS_GONE: 410,
}

/** What a page shows instead of its part: what is wrong and, as far as it is known, what to do. */
export function problemOf(error: unknown, config: Config): Reply {
  const { type, status } = error as { type?: string; status?: number }
  if (type?.startsWith('entity.')) return problem(status ?? 400, 'The body cannot be read.')
  const { sentence } = explainFailure(error, () => config)
  const refusal = isTallyError(error) && statuses[error.code]
  return refusal ? problem(refusal, ended(sentence)) : problem(503, withAdvice(sentence))
}

const ended = (sentence: string): string => `${sentence.replace(/\.$/, '')}.`

/** Why a part of a page is unknown, beside what is known. */
export const troubleOf = (error: unknown, config: Config): string =>
  withAdvice(explainFailure(error, () => config).sentence)

/** A sentence about a server that is away. If it says no remedy, one follows. */
export const withAdvice = (sentence: string): string =>
  /`npm |TALLY_/.test(sentence) ? ended(sentence) : `${ended(sentence)} \`npm run doctor\` checks every server.`

export const answerFailures =
  (config: Config): ErrorRequestHandler =>
  (error: unknown, _request, response, next) =>
    response.headersSent ? next(error) : send(response, problemOf(error, config))
