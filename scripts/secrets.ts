import { resolve } from 'node:path'
import type { Command } from 'commander'
import { makeSecretFiles } from '../consumers/operations/access/secret-files.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { secretNames } from './generate/compose/secrets.ts'
import { readDeclared } from './generate/deployed-services.ts'
import { secretManifests } from './generate/kubernetes/secrets.ts'

interface Options extends CommonOptions {
  out: string
  print?: boolean
}

/** `npm run secrets`: certificates, keys and passwords for a deployment on Compose or Kubernetes. */
export const secretsCommand = (_frame: CommandFrame): Command =>
  createCommand(
    'secrets',
    'Make certificates, keys and passwords for a deployment',
    ['npm run secrets', 'npm run -s secrets -- --print | kubectl apply -n tally -f -'],
    'What exists stays as it is: run it again when a service joins. Keep the folder: without authority.key no certificate can be added.',
  )
    .option('--out <folder>', 'folder of the files', 'infra/docker/secrets')
    .option('--print', 'print them as Secrets for Kubernetes, too')
    .action(async ({ out, print, json }: Options) => {
      const folder = resolve(out)
      const declared = await readDeclared()
      const made = await makeSecretFiles(folder, secretNames(declared))
      if (print) process.stdout.write(secretManifests(folder, declared))
      else if (json) printJson({ folder, made })
      else say(made.length === 0 ? `${out} has every file` : `${out}: ${made.length} files made`)
    })

if (import.meta.main) await runCommand(secretsCommand, { ofRunningStack: false })
