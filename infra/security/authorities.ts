import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { describeError, TallyError } from '../errors.ts'

const trusted = new Set<string>()

/**
 * Lets every TLS connection of this process trust the certificates in PEM files, beside those that Node.js trusts: clients
 * of Kafka, PostgreSQL and HTTP servers alike. Repeated calls add.
 * @param files paths, separated by commas
 * @throws TallyError CONFIG_INVALID if a file holds no certificates
 */
export function trustAuthorities(files: string | undefined): void {
  const added = files?.split(',').filter((file) => !trusted.has(file)) ?? []
  if (added.length === 0) return
  setDefaultCACertificates([...getCACertificates('default'), ...added.flatMap(certificatesIn)])
  for (const file of added) trusted.add(file)
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
