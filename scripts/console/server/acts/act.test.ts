import { expect, test } from '@jest/globals'
import express from 'express'
import supertest from 'supertest'
import { z } from 'zod'
import { actorOf } from '../../../cli/consent.ts'
import type { Session } from '../../contract/session.ts'
import { act, serveActs } from './act.ts'

/** @returns who stands in the audit of an act */
async function auditedAs(body: object, session?: Session): Promise<string> {
  const app = express()
  app.use(express.json(), (_request, response, next) => {
    response.locals['session'] = session
    next()
  })
  app.post('/:name', serveActs({ sign: act(z.object({}), async (_body, who) => ({ said: [who] })) }))
  const answer = await supertest(app).post('/sign').send(body)
  return answer.status === 200 ? (answer.body as { said: [string] }).said[0] : String(answer.status)
}

test('who acts is the one who is signed in, whatever the page says', async () => {
  const session = { subject: 'anna', endsAt: '2026-01-01T00:00:00.000Z' }
  expect(await auditedAs({}, session)).toBe('anna')
  expect(await auditedAs({ actor: 'bob' }, session)).toBe('anna')
})

test('where nobody signs in it is the name given on the page, else the user of the server', async () => {
  expect(await auditedAs({ actor: ' bob ' })).toBe('bob')
  expect(await auditedAs({})).toBe(actorOf({}))
  expect(await auditedAs({ actor: ' ' })).toBe('422')
})
