import { readFileSync } from 'node:fs'
import { describeError } from '../errors.ts'

/**
 * The environment with every `<name>_FILE` of a secret replaced by `<name>`, read from that file without the white space
 * around it. Container platforms mount secrets as files; unlike variables, child processes and `docker inspect` do not show
 * them.
 * @param secrets names of the variables that may be in files
 * @returns what is wrong beside it, without the content of any file
 */
export function readSecretFiles(
  env: NodeJS.ProcessEnv,
  secrets: readonly string[],
): { env: NodeJS.ProcessEnv; problems: string[] } {
  const problems: string[] = []
  const read: NodeJS.ProcessEnv = {}
  for (const name of secrets) {
    const path = env[`${name}_FILE`]
    if (path === undefined) continue
    if (env[name] !== undefined) problems.push(`${name}: is set, and so is ${name}_FILE: keep one of them`)
    try {
      read[name] = readFileSync(path, 'utf8').trim()
      if (read[name] === '') problems.push(`${name}_FILE: ${path} is empty`)
    } catch (error) {
      problems.push(`${name}_FILE: ${describeError(error)}`)
    }
  }
  return { env: { ...env, ...read }, problems }
}
