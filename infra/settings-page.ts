import { z } from 'zod'
import { settings } from './settings.ts'

interface Described {
  description?: string
  section?: string
  unit?: string
  otherwise?: string
  default?: string | number
  type?: string
  secret?: boolean
  enum?: readonly string[]
  minimum?: number
  maximum?: number
}

const introduction = `# Configuration

Tally reads environment variables only; there is no configuration file. A value that does not parse stops the command
with exit code 2 and a message that names every wrong variable. While a stack runs on the data folder, commands use the
variables with which it was started, unless others are set. Where the table says
so, a variable with \`_FILE\` names a file with the value instead; what shows the environment then shows no secret.

<!-- Written by \`npm run generate\` from infra/settings.ts. Edit the descriptions there. -->
`

/** The text of docs/configuration.md: a table of the settings in each section. */
export function settingsPage(): string {
  const { properties } = z.toJSONSchema(settings, { io: 'output' }) as { properties: Record<string, Described> }
  let text = introduction
  for (const [name, setting] of Object.entries(properties)) {
    if (setting.section)
      text += `\n## ${setting.section}\n\n| variable | default | values | description |\n| --- | --- | --- | --- |\n`
    text += `| \`${name}\` | ${defaultOf(setting)} | ${valuesOf(setting)}${setting.secret ? `, or a file: \`${name}_FILE\`` : ''} | ${setting.description} |\n`
  }
  return text
}

function defaultOf({ default: value, otherwise, unit }: Described): string {
  if (otherwise) return otherwise
  if (value === undefined) return 'none'
  if (value === '') return 'empty'
  return unit === 'ms' ? `\`${value}\` (${readableTime(Number(value))})` : `\`${value}\``
}

function valuesOf({ type, enum: choices, minimum, maximum, unit }: Described): string {
  if (choices) return choices.map((choice) => `\`${choice}\``).join(', ')
  if (type === 'string') return 'text'
  if (unit?.startsWith('share')) return unit
  const bounded = (bound: number | undefined): bound is number => bound !== undefined && Math.abs(bound) < 2 ** 53 - 1
  const range = [minimum, maximum].map((bound) => (bounded(bound) ? bound.toLocaleString('en') : ''))
  const span = range[1] ? `${range[0]} to ${range[1]}` : range[0] ? `${range[0]} or more` : 'whole number'
  return unit ? `${span} ${unit}` : span
}

function readableTime(ms: number): string {
  if (ms < 1_000) return `${ms} ms`
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1_000} s`
}
