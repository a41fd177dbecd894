import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:tls'
import { expect, test } from '@jest/globals'
import { createAuthority, issueCertificate } from './certificates.ts'

test('a server with an issued certificate is accepted by those who trust the authority, and by nobody else', async () => {
  const authority = await createAuthority('Ours')
  const other = await createAuthority('Ours')
  const { certificate: cert, key } = await issueCertificate(authority, {
    name: 'server',
    hosts: ['localhost', '127.0.0.1'],
  })
  const server = createServer({ cert, key }, (socket) => socket.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const reach = async (ca: string | string[], servername: string): Promise<string> => {
    const { port } = server.address() as AddressInfo
    const socket = connect({ host: '127.0.0.1', port, ca, servername })
    const [outcome] = (await Promise.race([
      once(socket, 'secureConnect').then(() => ['connected']),
      once(socket, 'error'),
    ])) as [string | NodeJS.ErrnoException]
    socket.destroy()
    return typeof outcome === 'string' ? outcome : String(outcome.code)
  }
  try {
    expect(await reach(authority.certificate, 'localhost')).toBe('connected')
    expect(await reach(authority.certificate, 'elsewhere')).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
    expect(await reach(other.certificate, 'localhost')).not.toBe('connected')
    expect(await reach([other.certificate, authority.certificate], 'localhost')).toBe('connected')
  } finally {
    server.close()
  }
})

test('an issued certificate cannot issue others, and expires', async () => {
  const authority = await createAuthority('Ours')
  const { certificate } = await issueCertificate(authority, { name: 'payment', hosts: [], days: 1 })
  const read = new X509Certificate(certificate)
  expect(read.ca).toBe(false)
  expect(read.subject).toBe('CN=payment')
  expect(new X509Certificate(authority.certificate).ca).toBe(true)
  expect(read.checkIssued(new X509Certificate(authority.certificate))).toBe(true)
  expect(Date.parse(read.validTo) - Date.now()).toBeLessThan(86_400_000)
})
