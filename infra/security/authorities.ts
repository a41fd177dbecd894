import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { describeError, TallyError } from '../errors.ts'

const trusted = new Set<string>()

/**
 * Lets every TLS connection of this process trust the certificates in a PEM file, beside those that Node.js trusts: clients
 * of Kafka, PostgreSQL and HTTP servers alike. Repeated calls add.
 * @throws TallyError CONFIG_INVALID if the file holds no certificates
 */
export function trustAuthorities(file: string | undefined): void {
  if (file === undefined || trusted.has(file)) return
  const own = certificatesIn(file)
  setDefaultCACertificates([...getCACertificates('default'), ...own])
  trusted.add(file)
}

function certificatesIn(file: string): string[] {
  try {
    const found = readFileSync(file, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
    if (found.length === 0) throw new Error('it holds no certificate in PEM format')
    for (const one of found) void new X509Certificate(one)
    return [...found]
  } catch (error) {
    throw new TallyError('CONFIG_INVALID', `Configuration: TALLY_CA_FILE: ${file}: ${describeError(error)}`)
  }
}
