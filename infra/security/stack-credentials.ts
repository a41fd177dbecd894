import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyPair } from './certificates.ts'

const passwordServers = ['kafka', 'database'] as const
type PasswordServer = (typeof passwordServers)[number]

/** The credentials that a secured data folder keeps for the embedded servers and their clients, readable by its owner only. */
export interface StackCredentials {
  /** PEM file with the certificate of the folder's own authority. */
  readonly authority: string
  /** PEM files of the servers. */
  readonly certificate: string
  readonly key: string
  /** Certificate and key of the servers in one file, as Kafka reads them. */
  readonly keystore: string
  /** PEM files of the key pair for tokens of the orders API. */
  readonly tokenKey: { readonly public: string; readonly private: string }
  /** A principal's password at a server; empty if it has none. */
  password(server: PasswordServer, principal: string): string
}

/** As which operators' commands log in: at Kafka a super user, in PostgreSQL the owner of the server. */
export const operator = 'admin'

const folderOf = (dataDir: string): string => join(dataDir, 'security')

/** The credentials of a data folder; undefined if it is not secured. */
export function stackCredentials(dataDir: string): StackCredentials | undefined {
  const folder = folderOf(dataDir)
  const authority = join(folder, 'authority.crt')
  if (!existsSync(authority)) return undefined
  return {
    authority,
    certificate: join(folder, 'server.crt'),
    key: join(folder, 'server.key'),
    keystore: join(folder, 'server.pem'),
    tokenKey: { public: join(folder, 'token.pub'), private: join(folder, 'token.key') },
    password: (server, principal) => readPassword(join(folder, `${principal}.${server}`)),
  }
}

/** Unless they exist, makes the authority of a data folder and the certificate of its servers. A kill leaves all or nothing. */
export async function secureDataDir(dataDir: string): Promise<void> {
  const folder = folderOf(dataDir)
  if (existsSync(folder)) return
  const { createAuthority, issueCertificate } = await import('./certificates.ts') // Loads a library that nothing else needs
  const authority = await createAuthority('Tally, this data folder')
  const server = await issueCertificate(authority, { name: 'tally-server', hosts: ['localhost', '127.0.0.1', '::1'] })
  const aside = `${folder}.new`
  rmSync(aside, { recursive: true, force: true })
  mkdirSync(aside, { mode: 0o700 })
  write(join(aside, 'authority'), authority)
  write(join(aside, 'server'), server)
  writeFileSync(join(aside, 'server.pem'), server.key + server.certificate, { mode: 0o600 })
  const tokens = generateKeyPairSync('ed25519')
  const keyFile = { mode: 0o600 }
  writeFileSync(join(aside, 'token.key'), tokens.privateKey.export({ format: 'pem', type: 'pkcs8' }), keyFile)
  writeFileSync(join(aside, 'token.pub'), tokens.publicKey.export({ format: 'pem', type: 'spki' }), keyFile)
  renameSync(aside, folder)
}

function write(path: string, { certificate, key }: KeyPair): void {
  writeFileSync(`${path}.crt`, certificate, { mode: 0o600 })
  writeFileSync(`${path}.key`, key, { mode: 0o600 })
}

function readPassword(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // Not made yet: the server refuses it
  }
}

/** Gives each principal a password at each server unless it has one; does nothing in a folder that is not secured. */
export function ensurePasswords(dataDir: string, principals: readonly string[]): void {
  if (!stackCredentials(dataDir)) return
  for (const principal of principals)
    for (const server of passwordServers) {
      const path = join(folderOf(dataDir), `${principal}.${server}`)
      if (existsSync(path)) continue
      const own = `${path}.${process.pid}`
      writeFileSync(own, randomBytes(24).toString('base64url'), { mode: 0o600 })
      try {
        linkSync(own, path) // Whole, and the first one wins
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      rmSync(own)
    }
}
