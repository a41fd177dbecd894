import 'reflect-metadata' // @peculiar/x509 needs it first
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** A certificate and its key (PKCS #8), in PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const { subtle } = webcrypto

/** Certificates count as valid from a little before, for clocks that are behind. */
const backdatedMs = 5 * 60_000
const dayMs = 86_400_000

/** Makes an authority of its own: a self-signed certificate that can issue others, and none below them. */
export async function createAuthority(name: string, days = 3_650): Promise<KeyPair> {
  const keys = await subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...lifetime(days),
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await pemOf(keys.privateKey) }
}

/**
 * Issues a certificate for a server and for a client, named `CN=<name>`.
 * @param hosts names and IP addresses of the server; empty for a client
 */
export async function issueCertificate(
  authority: KeyPair,
  { name, hosts, days = 825 }: { name: string; hosts: readonly string[]; days?: number },
): Promise<KeyPair> {
  const keys = await subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const signingKey = await subtle.importKey('pkcs8', PemConverter.decodeFirst(authority.key), algorithm, false, [
    'sign',
  ])
  const issuer = new X509Certificate(authority.certificate)
  const alternatives = hosts.map((value) => ({
    type: /^[\d.]+$|:/.test(value) ? ('ip' as const) : ('dns' as const),
    value,
  }))
  const certificate = await X509CertificateGenerator.create({
    ...lifetime(days),
    subject: `CN=${name}`,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      // Tells authorities of one name apart
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      ...(alternatives.length > 0 ? [new SubjectAlternativeNameExtension(alternatives)] : []),
    ],
  })
  return { certificate: certificate.toString('pem'), key: await pemOf(keys.privateKey) }
}

function lifetime(days: number) {
  const from = Date.now() - backdatedMs
  return {
    serialNumber: `00${randomBytes(15).toString('hex')}`, // Positive: a leading 1 bit would be a sign
    notBefore: new Date(from),
    notAfter: new Date(from + days * dayMs),
  }
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString()
}
