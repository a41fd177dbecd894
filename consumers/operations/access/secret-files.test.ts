import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { makeSecretFiles } from './secret-files.ts'

let folder: string
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'tally-secrets-')), 'secrets')
})
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }))

const names = {
  servers: { kafka: ['kafka-1'] },
  clients: ['payment'],
  passwords: ['payment'],
  derived: { 'both.properties': (read: (name: string) => string) => `password=${read('payment.password')}` },
}
const all = () =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]))

test('one authority issues every certificate, named as the principal', async () => {
  await makeSecretFiles(folder, names)
  const { 'authority.crt': authority = '', 'payment.crt': client = '', 'kafka.pem': server = '' } = all()
  const { publicKey } = new X509Certificate(authority)
  expect(new X509Certificate(client).verify(publicKey)).toBe(true)
  expect(new X509Certificate(client).subject).toBe('CN=payment')
  const certificate = new X509Certificate(server.slice(server.indexOf('-----BEGIN CERTIFICATE')))
  expect(certificate.verify(publicKey)).toBe(true)
  expect(certificate.checkHost('kafka-1')).toBe('kafka-1')
})

test('what exists stays, and a service that joins gets its own', async () => {
  await makeSecretFiles(folder, names)
  const before = all()
  expect(await makeSecretFiles(folder, names)).toEqual([])
  expect(all()).toEqual(before)
  const made = await makeSecretFiles(folder, { ...names, clients: ['payment', 'loyalty'] })
  expect(made).toEqual(['loyalty.crt'])
  expect(all()).toEqual(expect.objectContaining(before))
  expect(
    new X509Certificate(all()['loyalty.crt'] ?? '').verify(
      new X509Certificate(before['authority.crt'] ?? '').publicKey,
    ),
  ).toBe(true)
})

test('only the owner enters the folder, and nobody else reads the keys that no container needs', async () => {
  await makeSecretFiles(folder, names)
  const modeOf = (path: string) => statSync(path).mode & 0o777
  expect(modeOf(folder)).toBe(0o700)
  expect(modeOf(join(folder, 'authority.key'))).toBe(0o600)
  expect(modeOf(join(folder, 'token.key'))).toBe(0o600)
  expect(modeOf(join(folder, 'payment.key'))).toBe(0o644)
})

test('files that are made of others have their contents', async () => {
  await makeSecretFiles(folder, names)
  expect(all()['both.properties']).toBe(`password=${all()['payment.password']}`)
})
