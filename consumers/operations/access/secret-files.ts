import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAuthority, issueCertificate } from '../../../infra/security/certificates.ts'
import type { KeyPair } from '../../../infra/security/certificates.ts'

/** Certificates that servers and clients of a deployment show: the name is the `CN`, and the principal at Kafka. */
export interface SecretNames {
  /** Servers, with the host names by which clients reach them. */
  readonly servers: Readonly<Record<string, readonly string[]>>
  /** Services and operators: each gets a certificate for Kafka. */
  readonly clients: readonly string[]
  /** Who logs in with a password: services at the database, and others. */
  readonly passwords: readonly string[]
  /** Other files by name, made from those above, which `read` reads. */
  readonly derived: Readonly<Record<string, (read: (name: string) => string) => string>>
}

/**
 * Makes the files from which the containers of a deployment read their secrets, in a folder that only its owner can enter:
 * an authority, `<name>.crt` and `.key`, `<server>.pem` with both, `<name>.password`, and the key pair for tokens. What exists
 * stays as it is, so a new service gets its own and nobody else another one. Containers run as users of their own, so the
 * files themselves may be read by all; the keys of the authority and for tokens are not for containers.
 * @returns names of the new files
 */
export async function makeSecretFiles(folder: string, names: SecretNames): Promise<string[]> {
  const { servers, clients, passwords, derived } = names
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  const made: string[] = []
  const keep = (name: string, content: string, mode = 0o644) => {
    writeFileSync(join(folder, name), content, { mode, flag: 'wx' })
    made.push(name)
  }
  const missing = (name: string) => !existsSync(join(folder, name))
  // The key first: an authority without its key could never issue another certificate
  if (missing('authority.crt')) {
    const { certificate, key } = await createAuthority('Tally, this deployment')
    writeFileSync(join(folder, 'authority.key'), key, { mode: 0o600 })
    keep('authority.crt', certificate)
  }
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  const authority: KeyPair = { certificate: read('authority.crt'), key: read('authority.key') }
  const issue = async (name: string, hosts: readonly string[]) => {
    if (!missing(`${name}.crt`)) return
    const { certificate, key } = await issueCertificate(authority, { name, hosts })
    writeFileSync(join(folder, `${name}.key`), key, { mode: 0o644 })
    if (hosts.length > 0) writeFileSync(join(folder, `${name}.pem`), key + certificate, { mode: 0o644 })
    keep(`${name}.crt`, certificate)
  }
  for (const [name, hosts] of Object.entries(servers)) await issue(name, hosts)
  for (const name of clients) await issue(name, [])
  for (const name of passwords)
    if (missing(`${name}.password`)) keep(`${name}.password`, randomBytes(24).toString('base64url'))
  for (const [name, contentOf] of Object.entries(derived)) if (missing(name)) keep(name, contentOf(read))
  if (missing('token.pub')) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(join(folder, 'token.key'), privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 })
    keep('token.pub', publicKey.export({ format: 'pem', type: 'spki' }).toString())
  }
  return made
}
