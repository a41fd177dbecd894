/** One instruction of a Dockerfile: `RUN`, and the text behind it. */
export interface Instruction {
  readonly name: string
  readonly text: string
}

/** A stage: what it starts from, its name if it has one, and its instructions in order. */
export interface Stage {
  readonly from: string
  readonly name: string | undefined
  readonly instructions: readonly Instruction[]
}

/** The stages of a Dockerfile with the values of its `ARG`s in place. */
export function parseDockerfile(text: string): Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .filter(Boolean)
  const values = new Map<string, string>()
  const stages: (Stage & { instructions: Instruction[] })[] = []
  for (const line of lines) {
    const [, name = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? []
    const given = rest.replaceAll(/\$\{(\w+)\}/g, (_, variable: string) => values.get(variable) ?? '')
    if (name === 'FROM') {
      const [from = '', , own] = given.split(' ')
      stages.push({ from, name: own, instructions: [] })
    } else if (name === 'ARG' && stages.length === 0) {
      const [variable = '', value = ''] = given.split('=')
      values.set(variable, value)
    } else stages.at(-1)?.instructions.push({ name, text: given })
  }
  return stages
}
