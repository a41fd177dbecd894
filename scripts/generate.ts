import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import { settingsPage } from '../infra/settings-page.ts'
import { loadSchemas } from '../schemas/load-schemas.ts'
import { toTypeScript } from '../schemas/typescript.ts'
import { createCommand, printJson, runCommand, say } from './cli/command.ts'
import type { CommandFrame, CommonOptions } from './cli/command.ts'
import { composeFile } from './generate/compose/compose.ts'
import { prometheusConfig } from './generate/compose/monitoring.ts'
import { kubernetesFiles } from './generate/kubernetes/kubernetes.ts'
import { readDeclared } from './generate/deployed-services.ts'

interface Output {
  readonly file: string
  /** What it is made from. */
  readonly from: string
  readonly text: string
}

/** Every generated file, as the code says that it is. */
export async function generatedFiles(): Promise<Output[]> {
  const declared = await readDeclared()
  const code = 'the code of the services'
  return [
    { file: 'schemas/generated/events.ts', from: 'schemas/avro', text: toTypeScript(loadSchemas()) },
    { file: 'docs/configuration.md', from: 'infra/settings.ts', text: settingsPage() },
    { file: 'infra/docker/compose.yml', from: code, text: composeFile(declared) },
    { file: 'infra/docker/prometheus.yml', from: code, text: prometheusConfig(declared) },
    ...Object.entries(kubernetesFiles(declared)).map(([name, text]) => ({
      ...{ file: `infra/k8s/generated/${name}.yaml`, from: code, text },
    })),
  ]
}

const pathOf = (file: string): string => resolve(import.meta.dirname, '..', file)

export const generateCommand = (_frame: CommandFrame): Command =>
  createCommand(
    'generate',
    'Generate what follows from the code: types, the page of settings, manifests',
    ['npm run generate', 'npm run generate -- --check'],
    'Writes schemas/generated, docs/configuration.md, and the manifests for Compose (infra/docker) and Kubernetes (infra/k8s).',
  )
    .option('--check', 'write nothing; exit code 1 if a generated file is stale')
    .action(async ({ check, json }: CommonOptions & { check?: boolean }) => {
      const stale = (await generatedFiles()).filter(({ file, text }) => read(pathOf(file)) !== text)
      if (!check) for (const { file, text } of stale) write(pathOf(file), text)
      else if (stale.length > 0) process.exitCode = 1
      if (json) printJson({ stale: stale.map(({ file }) => file) })
      else if (stale.length === 0) say('Every generated file is up to date.')
      else
        for (const { file, from } of stale)
          say(
            check
              ? `${file} does not match ${from}: run \`npm run generate\` and commit the result`
              : `${file} is written from ${from}`,
          )
    })

if (import.meta.main) await runCommand(generateCommand, { ofRunningStack: false })

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
