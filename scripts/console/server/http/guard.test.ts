import { expect, test } from '@jest/globals'
import express from 'express'
import supertest from 'supertest'
import { guard, loopbackHosts } from './guard.ts'

const app = express()
app.use(guard(() => loopbackHosts(28_083)))
app.all('/{*any}', (_request, response) => void response.json({ reached: true }))

const ask = (method: 'get' | 'post', headers: Record<string, string>) =>
  supertest(app)
    [method]('/api/acts/drop')
    .set({ host: '127.0.0.1:28083', ...headers })
    .send(method === 'post' ? '{}' : undefined)
const json = { 'content-type': 'application/json' }

test.each([
  ['a page of the console', { ...json, origin: 'http://127.0.0.1:28083', 'sec-fetch-site': 'same-origin' }, 200],
  ['a command without a browser', json, 200],
  ['another port of this machine', { ...json, origin: 'http://127.0.0.1:3000' }, 403],
  ['a page without an origin', { ...json, origin: 'null' }, 403],
  ['a browser that hides the origin', { ...json, 'sec-fetch-site': 'cross-site' }, 403],
  ['a form that says it is text', { 'content-type': 'text/plain' }, 415],
  ['another port', { ...json, host: '127.0.0.1:80' }, 421],
])('a change asked for by %s', async (_who, headers, status) => {
  const answer = await ask('post', headers)
  expect(answer.status).toBe(status)
  if (status !== 200) expect(answer.headers['content-type']).toMatch('application/problem+json')
})

test.each([
  ['localhost', { host: 'localhost:28083' }, 200],
  ['a link on another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 200],
  ['a script of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
  ['a name that leads here', { host: 'evil.example' }, 421],
])('a page asked for by %s', async (_who, headers, status) => {
  const answer = await ask('get', headers)
  expect(answer.status).toBe(status)
  expect(answer.headers['content-security-policy']).toMatch("default-src 'none'")
  expect(answer.headers['content-security-policy']).not.toMatch('unsafe')
})

test('another site changes nothing', async () => {
  expect((await ask('post', { ...json, origin: 'https://evil.example' })).status).toBe(403)
})

test('a form changes nothing', async () => {
  expect((await ask('post', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415)
})

test('a foreign name that leads here changes nothing', async () => {
  expect((await ask('post', { ...json, host: 'evil.example:28083' })).status).toBe(421)
})
